"""The sections on methods and settings: none yet, under way, one failed, all judged, and what can be downloaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app_pages.methods_view import chart, chart_in_words
from backends.comparison import ComparisonJobs, launch_comparison
from backends.fake import FakeEngine
from backends.sweep import go_on, launch_sweep
from core.job import EngineRef, JobState, Measured, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import open_store
from evaluation.compared import best_in_words, compared
from evaluation.compared_table import markdown, table
from tests.evaluation.test_learning_curve import report, scores
from tests.training.conftest import colour_rows, write_rows

APP = str(Path(__file__).parents[2] / "app.py")
RIGHT = [360, 358, 80]


def page() -> None:
    from app_pages import methods_view, sweep_view
    from core.store import open_store

    methods_view.section(open_store())
    sweep_view.section(open_store())


def opened() -> AppTest:
    app = AppTest.from_function(page, default_timeout=30).run()
    assert not app.exception
    return app


def on_judge_page() -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30).run().switch_page("app_pages/judge.py").run()
    assert not app.exception
    return app


def text(app: AppTest) -> str:
    parts = [*app.subheader, *app.markdown, *app.caption, *app.info, *app.warning, *app.error, *app.code]
    return "\n".join(str(part.value) for part in parts)


@pytest.fixture
def fake(tmp_path: Path) -> JobSpec:
    rows = colour_rows()
    parts = {"dataset": rows[:32], "validation": rows[32:40], "test": rows[40:]}
    files = {part: write_rows(tmp_path / f"{part}.jsonl", each) for part, each in parts.items()}
    return JobSpec(engine="fake", name="Col*urs", fake={"seconds": 0.05}, **files)  # type: ignore[arg-type]


@pytest.fixture
def jobs(fake: JobSpec) -> ComparisonJobs:
    return launch_comparison(open_store(), fake, ["lora", "bottleneck", "prefix", "prompt"])


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """All jobs have ended; prompt tuning has failed."""

    def poll(self: FakeEngine, ref: EngineRef) -> JobState:
        failed = RunFolder.of(ref.ref).spec().method.kind == "prompt"
        return JobState(state="failed", reason="Out of mem*ry.") if failed else JobState(state="succeeded")

    def result(self: FakeEngine, ref: EngineRef) -> Result:
        rank = RunFolder.of(ref.ref).spec().method.rank
        metrics = {"validation_loss": 0.4 + 1 / rank, "weights_trained": 1234.0}
        return Result(metrics=metrics, measured=Measured(seconds=60.0, memory_gib=1.5))

    monkeypatch.setattr(FakeEngine, "poll", poll)
    monkeypatch.setattr(FakeEngine, "result", result)


def judged(jobs: ComparisonJobs) -> None:
    for method, values in zip(jobs.methods, scores(RIGHT, 400), strict=False):
        report(values).save(RunFolder.of(method.judge).evaluation_file)


def test_without_a_comparison_it_says_how_to_get_one() -> None:
    said = text(opened())
    assert "tuneworthy compare-methods DATA --wait" in said and "settings" not in said


def test_under_way_it_says_where_each_method_is(jobs: ComparisonJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeEngine, "poll", lambda self, ref: JobState(state="running"))
    said = text(opened())
    assert all(f"{words} " in said for words in ("LoRA", "adapter layers", "prefix tuning")) and "Running" in said


@pytest.mark.usefixtures("ended")
def test_all_judged_it_shows_one_table_on_the_judge_page_and_says_who_failed(jobs: ComparisonJobs) -> None:
    judged(jobs)
    app = on_judge_page()
    said = text(app)
    assert "Which method pays" in said and "prompt tuning failed\\: Out of mem\\*ry." in said
    assert "told from it on these rows\\: adapter layers" in said and "Worse beyond luck\\: prefix" in said
    found = compared(open_store(), jobs)
    cells = table(found)
    assert [row[0] for row in cells] == ["LoRA", "adapter layers", "prefix tuning", "prompt tuning"]
    assert cells[0][1:4] == ["1,234 (0.001%)", "1.5 GiB", "60 s"] and cells[3][-1] == "failed"
    assert [button.label for button in app.get("download_button")][-2:] == ["Table (CSV)", "Table (Markdown)"]
    assert all(f"| {row[0]} |" in markdown(found) for row in cells)
    assert list(chart(found).data[0].y) == ["prefix tuning", "adapter layers", "LoRA"]
    assert "LoRA 0.900" in chart_in_words(found) and "prompt" not in chart_in_words(found)


def test_one_method_has_nobody_to_be_compared_with() -> None:
    assert best_in_words({"lora": report([1.0, 0.0])}) == "There are no two methods to compare."


@pytest.mark.usefixtures("ended")
def test_a_sweep_shows_its_settings_and_then_the_judgement_of_the_best(fake: JobSpec) -> None:
    sweep = launch_sweep(open_store(), fake, ranks=(4, 16))
    said = text(opened())
    assert "Which settings pay" in said and f"tuneworthy sweep {sweep.group} --wait" in said
    sweep = go_on(open_store(), sweep)
    assert "The judgement has not ended" in text(opened())
    report([1.0] * 9 + [0.0]).save(RunFolder.of(str(sweep.judge)).evaluation_file)
    said = text(on_judge_page())
    assert "Rank 16, rate 0.001 has the lowest validation loss of 2" in said and "The judgement" not in said
