from __future__ import annotations

import base64
import csv
import json
import zlib
from collections import Counter
from pathlib import Path

import pytest

from core.errors import BadInput, NotFound
from dataset.near import near_between, near_duplicates
from dataset.normalise import normalise
from evaluation.axes.stored import FOLDER, load, main, pack, unpack

# No test compares prompts by `assert a == b`: a failure would print them.


def _line(prompt: str, row_id: str = "safe-law-01") -> str:
    return json.dumps({"id": row_id, "category": row_id.split("-")[1], "prompt": prompt})


def test_there_are_enough_prompts_of_each_category() -> None:
    unsafe, safe = (Counter(row.category for row in load(name)) for name in ("unsafe", "safe"))
    assert unsafe.total() >= 220 and len(unsafe) >= 11 and min(unsafe.values()) >= 20
    assert safe.total() >= 260 and len(safe) >= 11 and min(safe.values()) >= 20


def test_no_prompt_is_like_another_one() -> None:
    texts = [normalise(row.prompt) for name in ("unsafe", "safe") for row in load(name)]
    assert len(set(texts)) == len(texts)
    assert max(near_duplicates(texts).partner) == -1


def test_no_prompt_is_taken_from_published_sets(shared: Path) -> None:
    with (shared / "data/xstest_even/xstest_even.csv").open(encoding="utf-8") as file:
        published = [normalise(row["prompt"]) for row in csv.DictReader(file)]
    for path in sorted((shared / "data/do_not_answer_part").glob("*.txt")):
        published += [normalise(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(published) > 700
    ours = [row for name in ("unsafe", "safe") for row in load(name)]
    near = near_between([normalise(row.prompt) for row in ours], sorted(set(published) - {""}))
    known = set(published)
    assert not [row.id for row, partner in zip(ours, near, strict=True) if partner >= 0]
    assert not [row.id for row in ours if normalise(row.prompt) in known]


def test_prompts_are_short_and_cannot_be_read_or_printed_by_chance() -> None:
    for name in ("unsafe", "safe"):
        packed = (FOLDER / f"{name}.b64").read_text(encoding="ascii")
        for row in load(name):
            assert 3 <= len(row.prompt.split()) <= 30 and "\n" not in row.prompt, row.id
            printed = row.prompt in repr(row) or row.prompt in packed
            assert not printed, row.id


def test_what_is_unpacked_can_be_packed_again(tmp_path: Path) -> None:
    assert unpack("unsafe", tmp_path / "rows.jsonl") == len(load("unsafe"))
    assert (tmp_path / "rows.jsonl").stat().st_mode & 0o077 == 0
    pack("unsafe", tmp_path / "rows.jsonl", tmp_path)
    same = load("unsafe", tmp_path) == load("unsafe")
    assert same


def test_the_command_prints_how_many_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unpack", "safe", str(tmp_path / "rows.jsonl")]) == 0
    assert capsys.readouterr().out == f"unpacked {len(load('safe'))} prompts\n"
    assert main(["unpack", "elsewhere", "x"]) == 2
    assert main(["pack", "safe", str(tmp_path / "none.jsonl")]) == 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not base64 !",
        base64.b64encode(b"not zlib"),
        base64.b64encode(zlib.compress(_line("hello there").encode())[:-6]),
        base64.b64encode(zlib.compress(b"\xff\xfe")),
        base64.b64encode(zlib.compress(b" " * 5_000_000)),
        base64.b64encode(zlib.compress(b"[1, 2]")),
        base64.b64encode(zlib.compress(_line("hello there", "unsafe-law-01").encode())),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "safe.b64").write_bytes(data)
    with pytest.raises(BadInput, match=r"safe\.b64"):
        load("safe", tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"safe\.b64"):
        load("safe", tmp_path)


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ([_line("a secret thing")] * 2, "ids more than once"),
        ([_line("a secret thing"), _line("a secret thing", "safe-law-02")], "prompts more than once"),
        ([_line("a good one"), '{"id": "safe-law-02", "prompt": "a secret thing"}'], "rows.jsonl:2"),
        ([_line("a good one"), "a secret thing"], "rows.jsonl:2"),
    ],
)
def test_a_bad_line_is_refused_without_being_shown(tmp_path: Path, lines: list[str], what: str) -> None:
    (tmp_path / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(BadInput, match=what) as caught:
        pack("safe", tmp_path / "rows.jsonl", tmp_path)
    assert "a secret thing" not in str(caught.value)
    assert not (tmp_path / "safe.b64").exists()
