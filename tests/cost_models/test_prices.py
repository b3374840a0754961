from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import pytest

from core.errors import NotFound, ProblemsFound
from cost_models.prices import OVERRIDE_SOURCE, PRICES_FOLDER, PriceBook, read_rows, rows_in_effect
from cost_models.refresh import MODELS, changed_rows, current_prices, toml_row

TODAY = date(2026, 11, 24)
ROW = """[[price]]
item = "gpu.test"
amount = "{amount}"
label = "A card"
unit = "USD per GPU-hour"
valid_from = {valid_from}
checked = 2026-11-01
source = "{source}"

"""


def row(amount: str = "1.50", valid_from: str = "2026-01-01", source: str = "a page") -> str:
    return ROW.format(amount=amount, valid_from=valid_from, source=source)


def folder_with(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "prices"
    folder.mkdir()
    (folder / "gpu.toml").write_text(text, encoding="utf-8")
    return folder


def test_every_shipped_row_has_a_source_and_a_date_that_is_not_in_the_future() -> None:
    rows = read_rows(PRICES_FOLDER)
    assert len(rows) > 200
    assert all(row.source.strip() and row.valid_from <= row.checked for row in rows)


def test_the_facts_of_the_lecture_stand_in_the_book() -> None:
    book = PriceBook.load(None, TODAY)
    assert book.row("tune.openai.gpt-4o-mini.training").amount == Decimal(3)
    assert book.row("tune.openai.gpt-4o-mini.training").last_day_for_new_jobs == date(2027, 1, 6)
    assert book.usd("gpu.h100-sxm.aws.x8") == pytest.approx(55.04 / 8)
    # "GPU rental: 1 to 3 dollars an hour": at least one card with 40 GB or more in that range.
    assert any(1 <= row.usd <= 3 for row in book.rows("gpu.") if row.memory_gb >= 40)


def test_a_row_without_a_source_is_named_by_file_and_line(tmp_path: Path) -> None:
    text = row() + row(valid_from="2026-02-01").replace('source = "a page"\n', "")
    with pytest.raises(ProblemsFound) as caught:
        read_rows(folder_with(tmp_path, text))
    assert [problem.where.rsplit("/", 1)[-1] for problem in caught.value.problems()] == ["gpu.toml:10"]
    assert "`source` is missing" in str(caught.value)


def test_all_bad_rows_are_reported_at_once(tmp_path: Path) -> None:
    bad = [
        row(source=""),
        row(valid_from="2026-02-01").replace("checked = 2026-11-01\n", ""),
        row(amount="-1", valid_from="2026-03-01"),
        row(valid_from="2026-04-01").replace('"1.50"', "1.50"),
        row(valid_from="2026-05-01").replace("USD per GPU-hour", "EUR"),
    ]
    with pytest.raises(ProblemsFound) as caught:
        read_rows(folder_with(tmp_path, "".join(bad)))
    lines = [problem.where.rsplit(":", 1)[-1] for problem in caught.value.problems()]
    assert lines == ["1", "10", "18", "27", "36"]


@pytest.mark.parametrize("text", ["[[price]\n", "[[cost]]\nitem = 1\n", "price = 3\n"])
def test_a_file_that_holds_no_price_tables_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProblemsFound) as caught:
        read_rows(folder_with(tmp_path, text))
    assert "gpu.toml" in str(caught.value)


def test_the_same_item_twice_from_the_same_day_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProblemsFound, match="two rows valid from"):
        read_rows(folder_with(tmp_path, row() + row(amount="2")))


def test_the_youngest_row_that_is_valid_on_the_day_counts(tmp_path: Path) -> None:
    rows = read_rows(folder_with(tmp_path, row("1.50", "2026-01-01") + row("2.50", "2026-06-01")))
    assert rows_in_effect(rows, date(2026, 5, 31))["gpu.test"].amount == Decimal("1.50")
    assert rows_in_effect(rows, date(2026, 6, 1))["gpu.test"].amount == Decimal("2.50")
    assert rows_in_effect(rows, date(2020, 1, 1))["gpu.test"].amount == Decimal("1.50")


def test_an_own_figure_replaces_a_price_for_this_plan_only() -> None:
    book = PriceBook.load({"engineer.hour": 120}, TODAY)
    assert book.usd("engineer.hour") == 120
    assert book.row("engineer.hour").source == OVERRIDE_SOURCE
    assert PriceBook.load(None, TODAY).usd("engineer.hour") != 120


def test_bad_own_figures_are_all_reported_at_once() -> None:
    bad = {
        "engineer.hour": -1,
        "label.llm": "much",
        "gpu.nowhere": 1,
        "label.crowd": float("nan"),
        "label.expert": True,
    }
    with pytest.raises(ProblemsFound) as caught:
        PriceBook.load(bad, TODAY)  # type: ignore[arg-type]
    assert [problem.where for problem in caught.value.problems()] == [f"prices.{item}" for item in bad]


def test_an_unknown_item_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"gpu\.none"):
        PriceBook.load(None, TODAY).row("gpu.none")


def test_stale_rows_come_oldest_first_and_own_figures_are_not_among_them() -> None:
    book = PriceBook.load({"engineer.hour": 50}, TODAY)
    assert book.stale(90, TODAY) == []
    late = book.stale(90, date(2027, 6, 1))
    assert {row.item for row in late} == {row.item for row in book.rows()} - {"engineer.hour"}
    assert [row.checked for row in late] == sorted(row.checked for row in late)


def test_inference_rows_agree_with_genai_prices() -> None:
    book = PriceBook.load(None, TODAY)
    installed = f"genai-prices {version('genai-prices')}"
    if book.row("api.gpt-6-luna.input").source != installed:
        pytest.skip(f"the rows were taken from another version than {installed}")
    for provider, model in MODELS:
        for part, amount in current_prices(provider, model, TODAY).items():
            assert book.row(f"api.{model}.{part}").amount == amount, f"{model} {part}"
    assert changed_rows(TODAY) == []


def test_a_changed_price_is_printed_as_a_row_that_can_be_appended(tmp_path: Path) -> None:
    text = toml_row("openai", "some-model", "cached_input", Decimal("0.0250"), TODAY)
    (read,) = read_rows(folder_with(tmp_path, text))
    assert (read.item, read.amount, read.valid_from) == ("api.some-model.cached_input", Decimal("0.025"), TODAY)
