from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from dataset.read import read
from tuneworthy import cli


def test_pairs_are_parted_as_pairs(tmp_path: Path) -> None:
    asked = [f"Which of the {word} is it, and where?" for word in ("doors", "boats", "lamps", "tents", "roofs", "cups")]
    pairs = [{"system": "Be brief.", "prompt": text, "chosen": "This.", "rejected": text[:9]} for text in asked]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    done = CliRunner().invoke(cli, ["split", str(tmp_path / "pairs.jsonl"), "--out", str(tmp_path / "parts")])
    assert done.exit_code == 0, done.output
    found = [read(path) for path in sorted((tmp_path / "parts").glob("*.jsonl"))]
    assert len(found) == 3 and {data.format for data in found} == {"preference"}
    rows = [row for data in found for row in data.rows]
    assert sorted((row.user_text, row.answer, row.extra["rejected"]) for row in rows) == sorted(
        (pair["prompt"], pair["chosen"], pair["rejected"]) for pair in pairs
    )
    assert {row.messages[0].content for row in rows} == {"Be brief."}
