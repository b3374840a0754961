"""The rows of a judgement are read as the spec says."""

from __future__ import annotations

from pathlib import Path

from core.jobspec import JobSpec
from evaluation.rows import judged_rows


def test_held_out_and_training_rows_are_read_through_the_prompt_of_the_spec(tmp_path: Path) -> None:
    for name, first in (("train", 0), ("test", 40)):
        lines = [f"Lamp {n},broke {n}," + ("refund" if n % 2 else "delivery") for n in range(first, first + 10)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["subject,body,team", *lines, ""]))
    spec = JobSpec(
        kind="evaluate",
        dataset=str(tmp_path / "train.csv"),
        test=str(tmp_path / "test.csv"),
        template="Sort: {subject} {body}",
        output="team",
    )
    rows = judged_rows(spec)
    assert [row.user_text for row in rows.test] == [f"Sort: Lamp {n} broke {n}" for n in range(40, 50)]
    assert {row.user_text for row in (*rows.train, *rows.selection)} == {f"Sort: Lamp {n} broke {n}" for n in range(10)}
