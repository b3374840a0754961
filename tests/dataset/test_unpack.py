"""Archives, Parquet and Excel read like the plain file; what is made to hurt is refused before it does."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput
from dataset.kept import data_ref
from dataset.prepare import adopt
from dataset.read import read

Write = Callable[[str, str | bytes], Path]
Workbook = Callable[[dict[str, dict[str, str | float]]], bytes]
TABLE = "text,label\nWhere is it?,delivery\nIt broke,refund\n"
CHAT = {"messages": [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "delivery"}]}
calamine = pytest.mark.skipif(find_spec("python_calamine") is None, reason="the extra `data` is not installed")


def zipped(files: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def parquet(columns: dict[str, Any]) -> bytes:
    import pyarrow as arrow
    from pyarrow import parquet as files

    buffer = io.BytesIO()
    files.write_table(arrow.table(columns), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv.gz", gzip.compress(TABLE.encode())),
        ("a.gz", gzip.compress(TABLE.encode())),
        ("a.csv", gzip.compress(TABLE.encode())),
        ("a.csv.gz", gzip.compress(TABLE[:20].encode()) + gzip.compress(TABLE[20:].encode())),
        ("a.csv.gz", gzip.compress(b"") + gzip.compress(TABLE.encode()) + bytes(99_999)),
        ("a.zip", zipped({"mail.csv": TABLE})),
        ("a.zip", zipped({"in/a/folder/": "", "in/a/folder/mail.csv": TABLE, "__MACOSX/._mail.csv": b"\0\1"})),
        ("a.zip", zipped({"mail.csv": TABLE}, zipfile.ZIP_STORED)),
        ("a.zip", zipped({"mail.csv": TABLE.encode("utf-16")})),
        ("a.zip", zipped({"mail.jsonl": '{"text": "Where is it?", "label": "delivery"}\n' * 2})),
    ],
)
def test_an_archive_of_one_file_reads_like_the_file(write: Write, name: str, content: bytes) -> None:
    path = write(name, content)
    data = read(path)
    assert len(data.rows) == 2
    assert (data.rows[0].user_text, data.rows[0].answer) == ("Where is it?", "delivery")
    assert data.path == path
    assert data.sha256 == sha256(content).hexdigest(), "of the file that was given, so that a change of it is seen"
    assert path.read_bytes() == content


def test_lines_are_those_of_the_file_inside(write: Write) -> None:
    data = read(write("a.jsonl.gz", gzip.compress((json.dumps(CHAT) + "\n{oops\n" + json.dumps(CHAT)).encode())))
    assert [row.line for row in data.rows] == [1, 3]
    assert (data.findings[0].check, data.findings[0].rows) == ("bad_line", [2])


@pytest.mark.parametrize("name", ["mail.csv.gz", "mail.zip", "mail.parquet"])
def test_packed_data_is_taken_in_and_comes_back(name: str) -> None:
    rows = [(f"{chr(97 + n) * 9} {n * 7919}", "post" if n % 2 else "refund") for n in range(20)]
    table = "text,label\n" + "".join(f"{text},{label}\n" for text, label in rows)
    columns = {"text": [text for text, _ in rows], "label": [label for _, label in rows]}
    content = {
        "mail.csv.gz": lambda: gzip.compress(table.encode()),
        "mail.zip": lambda: zipped({"mail.csv": table}),
        "mail.parquet": lambda: parquet(columns),
    }[name]()
    ref = adopt(content, name, test=(gzip.compress(b"text,label\nquite another thing,post\n"), "test.csv.gz"))
    assert (ref.rows, ref.test_rows, ref.sha256) == (20, 1, sha256(content).hexdigest())
    again = data_ref(Path(ref.train).parent)
    assert again.model_dump(exclude={"findings"}) == ref.model_dump(exclude={"findings"})


def test_a_path_inside_an_archive_leads_nowhere(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    path = folder / "a.zip"
    path.write_bytes(zipped({"../../../../mail.csv": TABLE}))
    before = sorted(tmp_path.rglob("*"))
    assert len(read(path).rows) == 2
    assert sorted(tmp_path.rglob("*")) == before


def encrypted() -> bytes:
    content = bytearray(zipped({"mail.csv": TABLE}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped({"train.csv": TABLE, "test.csv": TABLE}), "2 files: `train.csv`, `test.csv`"),
        (zipped({f"{n}.csv": TABLE for n in range(9)}), "9 files: .* and 4 more"),
        (zipped({}), "without a file"),
        (zipped({"mail.csv": ""}), "is empty"),
        (zipped({"mail.zip": zipped({"mail.csv": TABLE})}), "another archive"),
        (gzip.compress(gzip.compress(TABLE.encode())), "another archive"),
        (zipped({"mail.csv": TABLE}, zipfile.ZIP_BZIP2), "unusual way"),
        (zipped({"mail.csv": TABLE}, zipfile.ZIP_LZMA), "unusual way"),
        (zipped({"[Content_Types].xml": "", "word/document.xml": ""}), "a Word document"),
        (encrypted(), "a password"),
        (gzip.compress(TABLE.encode() * 99)[:-9], "cut off gzip"),
        (gzip.compress(TABLE.encode())[:12] + b"\xff" * 30, "broken or a cut off gzip"),
        (zipped({"mail.csv": TABLE})[:-30], "broken or a cut off zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "an old or a protected Office file"),
        (b"BZh91AY&SY", "bzip2"),
        (b"PAR1" + b"\0" * 40 + b"PAR1", "broken Parquet"),
        (zipped({"[Content_Types].xml": "", "xl/workbook.xml": "<no"}), "Excel"),
    ],
)
def test_other_archives_are_refused_in_one_sentence(write: Write, content: bytes, words: str) -> None:
    path = write("a.zip", content)
    with pytest.raises(BadInput, match=words):
        read(path)


def test_a_changed_byte_inside_a_zip_is_noticed_by_its_checksum(write: Write) -> None:
    content = zipped({"mail.csv": TABLE}, zipfile.ZIP_STORED).replace(b"Where", b"There")
    with pytest.raises(BadInput, match="broken or a cut off zip"):
        read(write("a.zip", content))


@pytest.mark.parametrize("kind", ["gz", "zip", "xlsx"])
def test_a_bomb_is_stopped_while_it_swells(write: Write, workbook: Workbook, kind: str) -> None:
    zeros = bytes(40 << 20)
    if kind == "gz":
        content = gzip.compress(zeros)
    elif kind == "zip":
        content = zipped({"mail.csv": zeros})
    else:
        content = workbook({"Mail": {"A1": "text", "B1": "label", "A2": "x", "B2": "y" * (40 << 20)}})
    assert len(content) < 100_000
    with pytest.raises(BadInput, match="200 times its size"):
        read(write(f"a.{kind}", content))


def test_a_gzip_with_a_name_that_never_ends_does_not_hang(write: Write) -> None:
    with pytest.raises(BadInput, match="broken or a cut off gzip"):
        read(write("a.gz", b"\x1f\x8b\x08\x08" + b"n" * (64 << 20)))


def test_a_gzip_of_endlessly_many_members_does_not_hang(write: Write) -> None:
    with pytest.raises(BadInput, match="broken or a cut off gzip"):
        read(write("a.gz", gzip.compress(b"a", mtime=0) * 300_000))


@pytest.mark.parametrize("pack", [gzip.compress, lambda text: zipped({"mail.csv": text})])
def test_the_cap_on_size_holds_for_what_comes_out(write: Write, pack: Callable[[bytes], bytes]) -> None:
    path = write("a.gz", pack(TABLE.encode() * 900))
    assert path.stat().st_size < 20_000
    with pytest.raises(BadInput, match="unpacks to more than"):
        read(path, max_bytes=20_000)


def test_an_archive_of_endlessly_many_names_is_not_listed(write: Write) -> None:
    with pytest.raises(BadInput, match="too many files"):
        read(write("a.zip", zipped({"n" * 200 + str(n): "" for n in range(5000)})))


@calamine
def test_a_workbook_inside_a_zip_is_read_too(write: Write, workbook: Workbook) -> None:
    book = workbook({"Mail": {"A1": "text", "B1": "label", "A2": "Where is it?", "B2": "delivery"}})
    data = read(write("a.zip", zipped({"mail.xlsx": book})))
    assert (data.format, data.rows[0].answer, data.rows[0].line) == ("xlsx", "delivery", 2)
