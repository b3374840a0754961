"""Tables on the command line show what stands in the data, signs in brackets too."""

from __future__ import annotations

from pathlib import Path

from .conftest import Tune


def test_brackets_in_the_data_are_no_markup(tune: Tune, tmp_path: Path) -> None:
    rows = [f"say [/INST] {n * 37},answer {n}" for n in range(60)]
    (tmp_path / "rows.csv").write_text("\n".join(["text,label", *rows]))
    said = tune("check", tmp_path / "rows.csv")
    assert said.code == 0 and not said.err and "`[/INST]` in line 2" in said.out
