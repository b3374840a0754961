"""Tables on the command line show what stands in the data, signs in brackets too."""

from __future__ import annotations

from pathlib import Path

from .conftest import Tune


def test_brackets_in_the_data_are_no_markup(tune: Tune, tmp_path: Path) -> None:
    lines = [f"say [/INST] {n * 37},[/b{n % 2}]" for n in range(60)]
    (tmp_path / "rows.csv").write_text("\n".join(["text,label", *lines, "[bold]once more[/bold] \\\\,[red]"]))
    said = tune("check", tmp_path / "rows.csv")
    assert "[/INST]" in said.out and "[red]" in said.out and not said.err
