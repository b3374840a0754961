"""What is noticed while a file is read, in words: bad_line, encoding, unknown_format, text_only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dataset.finding import Finding, finding, plural
from dataset.opening import OpenedFile
from dataset.records import BadLine


def bad_lines(bad: Sequence[BadLine], good: int) -> Finding:
    """Lines that were left out."""
    first = bad[0]
    kept = f" The other {plural(good, 'row')} {'is' if good == 1 else 'are'} kept." if good else " No row is left."
    return finding(
        "bad_line",
        "error",
        (item.line for item in bad),
        f"{plural(len(bad), 'line')} could not be read: line {first.line} {first.why}.{kept}",
        "Mend these lines, or leave them out.",
    )


def encoding_findings(opened: OpenedFile, damaged: Sequence[int]) -> list[Finding]:
    """Bytes that did not fit, or an encoding that is not UTF-8."""
    if opened.lossy:
        what = f"{plural(len(damaged), 'row')} hold bytes that are not {opened.encoding}; they read as \ufffd."
        hint = "Save the file as UTF-8 from the program that wrote it."
        return [finding("encoding", "warning", damaged, what, hint)]
    if opened.encoding in ("utf-8", "utf-8-sig"):
        return []
    what = f"The file is not UTF-8; it was read as {opened.encoding}."
    hint = "Look at some rows with accents. If they are wrong, save the file as UTF-8."
    return [finding("encoding", "note", [], what, hint, count=1)]


def not_json_lines() -> Finding:
    """A document under the name of JSON Lines."""
    return finding(
        "unknown_format",
        "warning",
        [],
        "The name says JSON Lines, but the file is one JSON document. It was read as that.",
        "Hosts refuse such a file: upload the cleaned copy there, or name it .json.",
        count=1,
    )


def other_sheets(what: str) -> Finding:
    """A workbook of several sheets."""
    hint = "If it is the wrong one, put it first, or save it as CSV."
    return finding("unknown_format", "note", [], what, hint, count=1)


def unknown_columns(columns: Sequence[str], why: str = "") -> Finding:
    """No row is of a known format, or somebody has to choose the columns."""
    shown = ", ".join(columns[:30]) or "none"
    return finding(
        "unknown_format",
        "error",
        [],
        f"No row is of a known format: the first one {why}." if why else f"The columns are not known: {shown}.",
        "Give one example a row, with an input and an answer."
        if why
        else "Choose which of them are the input and which one is the output.",
        count=1,
    )


def beyond_text_findings(parts: Mapping[int, int], calls: Mapping[int, int]) -> list[Finding]:
    """Pictures and tool calls (how many by line), which are kept as text, because only text is trained."""
    found = []
    if parts:
        pictures = plural(sum(parts.values()), "picture or file", "pictures or files")
        what = (
            f"{plural(len(parts), 'row holds', 'rows hold')} {pictures}. "
            "Each reads as a marker such as [image 1a2b3c4d]; the model will not see it."
        )
        hint = "This release trains on text only: say in words what is seen, or leave these rows out."
        found.append(finding("text_only", "note", parts, what, hint))
    if calls:
        what = (
            f"{plural(len(calls), 'row holds', 'rows hold')} {plural(sum(calls.values()), 'tool call')}. "
            "Each reads as JSON text, and its tools are not shown to the model."
        )
        hint = "This release trains on text only: describe the tools in the system turn, and parse the answer yourself."
        found.append(finding("text_only", "warning", calls, what, hint))
    return found
