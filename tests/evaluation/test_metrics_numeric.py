from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.metrics import number_in, numeric


@pytest.mark.parametrize(
    "text",
    [
        "1234.5",
        "1,234.50",
        "1.234,5",
        "1'234.5",
        "1\u202f234.5",
        "So she pays $1,234.50.",
        "7 + 8 = 15, hence\n#### 1,234.5",
        "1.2345e3",
        "The answer is **1,234.5**, as 2 of 3 know: 1,234.5",
        "2469/2",
    ],
)
def test_a_number_is_read_however_it_is_written(text: str) -> None:
    assert numeric("1234.5", text) == 1


@pytest.mark.parametrize(
    ("expected", "answer", "right"),
    [
        ("72", "She sold 48 + 24 = 72 clips", 1),
        ("72", "72 is what she sold in 2 months", 0),
        ("#### 72", "#### 72\nThat took 3 steps.", 0),
        ("-5", "it falls to -5", 1),
        ("-5", "it falls to \u22125 degrees", 1),
        ("5", "pages 3-5", 1),
        ("5", "it falls to -5", 0),
        ("12 %", "0.12", 1),
        ("12", "12%", 1),
        ("12 %", "0.12 %", 0),
        ("12,5", "12.5", 1),
        ("1,000", "1000", 1),
        ("1.000.000", "1,000,000", 1),
        ("0", "0.0", 1),
        ("0", "0.0000001", 0),
        ("1000000", "1000000.5", 1),
        ("1000000", "1000002", 0),
        ("3", "three", 0),
        ("rooms", "rooms", 0),
        ("3", "1/0", 0),
        ("3", "9e999", 0),
    ],
)
def test_the_last_number_decides(expected: str, answer: str, right: float) -> None:
    assert numeric(expected, answer) == right


@given(st.floats(-1e9, 1e9).filter(lambda value: value == 0 or abs(value) > 1e-6))
@settings(max_examples=200, deadline=None)
def test_a_printed_number_is_read_back(value: float) -> None:
    found = number_in(f"It is {value!r}")
    assert found == (pytest.approx(value, rel=1e-12), False)
    assert numeric(f"{value:.3f}", f"about {value:,.3f} in all.") == 1


@given(st.text(max_size=80), st.text(alphabet="0123456789.,-%/e# ", max_size=80))
@settings(max_examples=150, deadline=None)
def test_no_text_breaks_it(one: str, other: str) -> None:
    assert numeric(one, other) in (0, 1)
    assert numeric(other, one) in (0, 1)


def test_a_model_that_never_stops_costs_little() -> None:
    assert numeric("1", "1,1," * 1_000_000) == 0


def test_every_answer_of_gsm8k_is_read(shared: Path) -> None:
    rows = [json.loads(line) for line in (shared / "data/gsm8k/test_part.jsonl").read_text().splitlines()]
    assert len(rows) > 50
    for row in rows:
        result = row["answer"].rpartition("####")[2].strip()
        assert number_in(row["answer"]) == (float(result.replace(",", "")), False)
