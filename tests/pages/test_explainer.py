"""The explainer of LoRA and the lecture's figures, on the Advise page."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from streamlit.testing.v1 import AppTest

from app_pages import explainer_view
from core.store import open_store
from cost_models.lecture import figures
from cost_models.prices import PriceBook
from cost_models.saving import Saving, matrix_saving

APP = str(Path(__file__).parents[2] / "app.py")


def explainer() -> AppTest:
    """The explainer alone; the page around it has tests of its own."""

    def script() -> None:
        from app_pages import explainer_view

        explainer_view.show()

    return AppTest.from_function(script, default_timeout=30).run()


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_the_lecture_s_matrix_and_its_code_are_what_one_sees_first() -> None:
    app = explainer()
    assert not app.exception and not app.error
    assert "256 times fewer" in app.markdown[0].value and "65,536" in app.markdown[0].value
    assert metrics(app) == {
        "Trained in the model": "3.41 million",
        "Share of the model": "0.0424 %",
        "Adapter in 16 bits": "6.82 MB",
        "Adapter in 32 bits": "13.6 MB",
    }


def test_twice_the_rank_is_twice_the_adapter() -> None:
    app = explainer()
    app.number_input(key="explain.rank").set_value(16).run()
    assert metrics(app)["Adapter in 16 bits"] == "13.6 MB"
    assert "128 times fewer" in app.markdown[0].value


def test_another_model_and_all_its_layers_are_counted() -> None:
    app = explainer()
    app.selectbox(key="explain.model").set_value("HuggingFaceTB/SmolLM2-135M-Instruct").run()
    app.segmented_control(key="explain.targets").set_value(explainer_view.EVERY).run()
    # 30 layers x rank 8 x (1,152 + 768 + 768 + 1,152 + 3 x 2,112)
    assert metrics(app)["Trained in the model"] == "2.44 million"
    assert metrics(app)["Share of the model"] == "1.82 %"


def test_a_rank_that_saves_nothing_says_so() -> None:
    app = explainer()
    app.number_input(key="explain.rows").set_value(64).run()
    app.number_input(key="explain.rank").set_value(64).run()
    assert "LoRA saves nothing here" in app.markdown[0].value
    assert not app.exception


def test_the_smallest_and_the_largest_entries_draw_a_chart() -> None:
    for rows, columns, rank in ((1, 1, 1), (1, 1, 1024), (300_000, 300_000, 1024)):
        matrix = matrix_saving(rows, columns, rank)
        chart = explainer_view.chart(matrix, Saving(full=135_000_000, trained=1_000))
        assert list(chart.data[0].x) == [1_000, matrix.trained]
        assert f"{explainer_view.words(matrix.full)} in full" in explainer_view.alt_text(matrix, matrix, "Model")
        assert explainer_view.sentence(matrix, rows, columns, rank)


def test_every_figure_of_the_lecture_stands_beside_ours_with_a_reason() -> None:
    table = explainer().table[0].value
    found = figures(PriceBook.load(None, date.today()))
    assert table["The lecture"].to_list() == [figure.claim.words for figure in found]
    for (_, row), figure in zip(table.iterrows(), found, strict=True):
        assert figure.claim.about in row["Figure"] and row["Figure"].endswith(figure.ours.why)
        assert row["Ours"].startswith(figure.words) and "badge" in row["Ours"]
    wrong = table[table["Ours"].str.contains("Does not hold")]
    assert {"10 MB", "350 GB", "20 GB"} <= set(wrong["The lecture"])
    # A dollar sign would begin a formula in Markdown.
    assert not any("$" in cell for cell in table.to_numpy().ravel())


def test_the_advise_page_carries_both_and_playing_makes_no_plan() -> None:
    app = AppTest.from_file(APP, default_timeout=30).run()
    labels = [expander.label for expander in app.expander]
    assert "How LoRA saves: play with it" in labels and "The lecture's figures and ours" in labels
    app.number_input(key="explain.rank").set_value(64).run()
    assert not app.exception and open_store().plans() == []
