"""The cells of a comparison: what was measured, what was kept, and words where nothing was."""

from __future__ import annotations

from evaluation.compared import Comparison, MethodRow
from evaluation.compared_table import as_csv, head, markdown, reasons, table
from evaluation.kept import kept
from evaluation.stats import interval

CLUSTERS = [str(at) for at in range(100)]
ROW = MethodRow(
    method="full",
    words="full fine-tuning",
    state="succeeded",
    trained=1_000_000,
    share=1.0,
    memory_gib=3.25,
    seconds=1234.4,
    megabytes=269.03,
    validation_loss=0.6634,
    task=interval([1.0] * 30 + [0.0] * 10),
    knowledge=kept("knowledge", [1.0] * 80 + [0.0] * 20, [1.0] * 50 + [0.0] * 50, CLUSTERS),
)
LEFT_OUT = MethodRow(method="dora", words="DoRA", state="left_out", reason="It does not fit.")


def comparison(*rows: MethodRow) -> Comparison:
    told = {
        "group": "group-1",
        "name": "Try",
        "base_model": "base",
        "rows": {"test": 40},
        "metric_words": "exact match",
    }
    base = interval([0.0] * 40)
    return Comparison.model_validate(told | {"methods": rows, "base": base, "done": True, "words": "Said."})


def test_knowledge_is_a_column_only_where_it_was_asked() -> None:
    asked, not_asked = comparison(ROW, LEFT_OUT), comparison(ROW.model_copy(update={"knowledge": None}), LEFT_OUT)
    assert head(asked) == [*head(not_asked), "general knowledge"]
    assert {len(cells) for cells in table(asked)} == {8} and {len(cells) for cells in table(not_asked)} == {7}
    assert table(asked)[1][-1] == "lost (-30 points)"


def test_what_was_measured_stands_beside_the_base_and_what_was_left_out() -> None:
    base, full, left = table(comparison(ROW, LEFT_OUT))
    assert base[0] == "base, not tuned" and base[6] == "0.000 (0.000 to 0.088)"
    assert full[1:6] == ["1,000,000 (all)", "3.2 GiB", "1,234 s", "269 MB", "0.663"]
    assert left == ["DoRA", "", "", "", "", "", "left out", ""]
    assert reasons(comparison(ROW, LEFT_OUT)) == ["DoRA was left out: It does not fit."]


def test_the_files_hold_every_row_and_bare_numbers() -> None:
    lines = as_csv(comparison(ROW, LEFT_OUT)).splitlines()
    assert (
        len(lines) == 3 and "1234.4" in lines[1] and ",0.75," in lines[1] and lines[2].startswith("dora,DoRA,left_out")
    )
    assert "| DoRA |" in markdown(comparison(ROW, LEFT_OUT)) and "- Said." in markdown(comparison(ROW))
