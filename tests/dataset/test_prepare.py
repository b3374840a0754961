from __future__ import annotations

import errno
import io
import json
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from subprocess import run
from typing import Any

import pytest

from core.errors import BadInput, NotFound, Refused, StoreError
from core.home import data_dir
from core.plan import DataRef
from dataset import prepare
from dataset.prepare import adopt, forget, kept_data, read_manifest, what_goes
from dataset.read import read

TODAY = date(2026, 1, 1)


def table(count: int = 60) -> bytes:
    names = ["delivery", "refund", "invoice"]
    rows = [f"{chr(97 + n % 26) * 5} {n * 7919} {chr(97 + n % 23) * 4},{names[n % 3]}" for n in range(count)]
    return ("text,label\n" + "\n".join(rows) + "\n").encode()


def folders() -> list[Path]:
    return sorted(data_dir().iterdir())


def test_an_upload_becomes_three_parts_and_a_manifest() -> None:
    ref = adopt(table(), "../../etc/my file.csv", seed=3, today=TODAY)
    assert ref.name == "my file.csv"
    assert (ref.rows, ref.train_rows, ref.validation_rows, ref.test_rows) == (60, 42, 6, 12)
    assert [len(read(Path(path)).rows) for path in (ref.train, ref.validation, ref.test)] == [42, 6, 12]
    manifest = read_manifest(ref)
    assert sorted(line for lines in manifest.lines.values() for line in lines) == list(range(2, 62))
    assert manifest.inputs == ["text"]
    assert (Path(ref.train).parent / "original.csv").read_bytes() == table()
    assert {finding["check"] for finding in ref.findings} == {"too_few_examples"}
    assert DataRef.model_validate_json(ref.model_dump_json()) == ref


def test_a_path_an_open_file_and_bytes_are_the_same_data(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(table())
    refs = [adopt(source, "a.csv", today=TODAY) for source in (path, io.BytesIO(table()), table())]
    assert len({ref.sha256 for ref in refs}) == 1
    assert len({Path(ref.train).read_bytes() for ref in refs}) == 1
    assert path.read_bytes() == table()


def test_what_teaches_nothing_is_left_out_and_listed() -> None:
    rows = [{"prompt": f"{chr(97 + n) * 9}", "completion": f"answer {n}"} for n in range(12)]
    rows[4]["completion"] = " "
    rows[7] = {"prompt": "no answer here"}
    content = "\n".join(json.dumps(row) for row in rows).encode() + b"\n{broken\n"
    ref = adopt(content, "a.jsonl", today=TODAY)
    assert [(dropped.line, dropped.reason) for dropped in read_manifest(ref).dropped] == [(5, "the answer is empty")]
    assert {"bad_line", "empty_text"} <= {finding["check"] for finding in ref.findings}
    assert ref.train_rows + ref.validation_rows + ref.test_rows == 10


def test_files_of_their_own_are_kept_as_parts() -> None:
    held_out = b"text,label\nquite another thing,refund\nno label here,\n"
    ref = adopt(table(), "a.csv", test=(held_out, "test.csv"), validation_share=0.1, today=TODAY)
    assert (ref.train_rows, ref.validation_rows, ref.test_rows) == (54, 6, 1)
    assert [(d.part, d.line) for d in read_manifest(ref).dropped] == [("test", 3)]


def test_three_rows_are_enough_and_two_are_not() -> None:
    ref = adopt(table(3), "a.csv", today=TODAY)
    assert (ref.train_rows, ref.validation_rows, ref.test_rows) == (1, 1, 1)
    with pytest.raises(BadInput, match="2 usable rows"):
        adopt(table(2), "a.csv", today=TODAY)
    assert len(folders()) == 1


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02\x03" * 50, b"alpha,beta,gamma\n1,2,3\n", b'{"a": 1}\n{"a": 2}\n']
)
def test_data_that_cannot_be_used_leaves_nothing_behind(content: bytes) -> None:
    with pytest.raises(BadInput, match=r"upload\.jsonl"):
        adopt(content, "upload.jsonl", today=TODAY)
    assert folders() == []


def test_a_missing_path_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        adopt(tmp_path / "nowhere.csv", "nowhere.csv", today=TODAY)
    assert folders() == []


def test_a_source_that_may_not_be_read_is_not_taken_for_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "closed.csv"
    path.write_bytes(table())
    opened = Path.open

    def refused(self: Path, mode: str = "r", *given: Any, **words: Any) -> Any:
        if self == path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return opened(self, mode, *given, **words)

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(BadInput, match=r"closed\.csv: cannot be read \(Permission denied\).*permissions"):
        adopt(path, "closed.csv", today=TODAY)
    with pytest.raises(BadInput, match="cannot be used"):
        adopt(Path("/" + "a" * 300), "long.csv", today=TODAY)
    assert folders() == []


def test_an_upload_that_breaks_off_is_not_taken_for_a_full_disk() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(BadInput, match=r"cannot be read \(Input/output error\)"):
        adopt(Broken(table()), "a.csv", today=TODAY)
    assert folders() == []


def test_an_upload_above_the_cap_is_refused() -> None:
    with pytest.raises(BadInput, match="are read up to"):
        adopt(io.BytesIO(table()), "a.csv", max_bytes=100, today=TODAY)
    assert folders() == []


def test_a_full_disk_is_told_plainly_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(prepare, "write_chat", full)
    with pytest.raises(StoreError, match=r"No space left on device.*Free some space"):
        adopt(table(), "a.csv", today=TODAY)
    assert folders() == []


def test_too_little_space_is_seen_before_copying(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(data_dir())
    monkeypatch.setattr(prepare.shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    with pytest.raises(StoreError, match="no space left"):
        adopt(table(), "a.csv", today=TODAY)
    assert folders() == []


def test_the_same_file_taken_in_eight_times_at_once_makes_eight_whole_folders() -> None:
    with ThreadPoolExecutor(8) as pool:
        refs = list(pool.map(lambda _: adopt(table(), "a.csv", seed=3, today=TODAY), range(8)))
    assert len({ref.train for ref in refs}) == len(folders()) == 8
    assert len({Path(ref.train).read_bytes() for ref in refs}) == 1


def test_what_a_killed_process_left_is_swept_a_day_later() -> None:
    old, young = data_dir() / "new-old", data_dir() / "new-young"
    old.mkdir()
    young.mkdir()
    os.utime(old, (0, 0))
    adopt(table(), "a.csv", today=TODAY)
    assert (old.exists(), young.exists()) == (False, True)


def test_forgetting_says_what_goes_and_removes_it() -> None:
    ref = adopt(table(), "a.csv", today=TODAY)
    other = adopt(table(), "b.csv", today=TODAY)
    assert {kept.name for kept in kept_data()} == {"a.csv", "b.csv"}
    told = what_goes(ref)
    assert (told.name, told.folder) == ("a.csv", Path(ref.train).parent)
    assert told.size_bytes > len(table())
    assert forget(ref) == told
    assert not Path(ref.train).exists()
    assert Path(other.train).exists()
    assert forget(ref).size_bytes == 0


def test_only_our_own_copies_can_be_forgotten(tmp_path: Path) -> None:
    ref = adopt(table(), "a.csv", today=TODAY)
    (tmp_path / "train.jsonl").write_text("mine")
    with pytest.raises(Refused):
        forget(ref.model_copy(update={"train": str(tmp_path / "train.jsonl")}))
    with pytest.raises(Refused):
        forget(ref.model_copy(update={"train": str(Path(ref.train).parent.parent / "train.jsonl")}))
    assert (tmp_path / "train.jsonl").read_text() == "mine"


def test_a_manifest_that_is_gone_is_an_error_of_ours() -> None:
    ref = adopt(table(), "a.csv", today=TODAY)
    forget(ref)
    with pytest.raises(BadInput, match="Take the data in again"):
        read_manifest(ref)


def test_looking_at_data_imports_nothing_heavy() -> None:
    code = (
        "import sys, dataset.prepare, dataset.check, dataset.read, dataset.render, dataset.split\n"
        "heavy = {'torch', 'transformers', 'polars', 'pandas', 'numpy', 'tokenizers', 'jinja2', 'sklearn', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
