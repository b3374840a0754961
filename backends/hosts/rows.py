"""The rows of a job as a host takes them: JSON Lines in OpenAI's manner, and what breaks its rules."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from backends.hosts.profile import HostProfile
from core.errors import BadInput, Problem, TuneworthyError
from core.jobspec import JobSpec
from core.paths import typed_path
from dataset.job_rows import read_for_job
from dataset.preference import REJECTED
from dataset.row import Row
from dataset.write import as_chat

CHARS_PER_TOKEN = 4
TURN_TOKENS = 4
ROW_TOKENS = 3
"""Marks around a turn and an answer: <|im_start|> role <|im_sep|> content <|im_end|>, and the start of the answer."""
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_SPECIAL = re.compile(r"<\|[^|<>\s]{1,40}\|>")
_SHOWN_LINES = 5


@dataclass(frozen=True)
class Upload:
    """A file for a host."""

    records: tuple[dict[str, Any], ...]
    body: bytes
    name: str
    """Named by its content, so that the same rows are found again and not sent twice."""


def upload_of(spec: JobSpec, path: str, profile: HostProfile) -> Upload:
    """The rows of one of the spec's files. Raises what reading them raises.

    Lines that are in the host's own manner already go as they are, with tools and pictures.
    """
    file = typed_path(path)
    try:
        stat = file.stat()
    except OSError as error:
        raise BadInput(f"no file at {path}.", "Check the path.", file=str(path)) from error
    key = spec.model_dump_json(include={"inputs", "output", "records", "template", "system_prompt", "objective"})
    return _upload(str(file), stat.st_mtime_ns, stat.st_size, key, profile.byte_order_mark)


@lru_cache(maxsize=2)
def _upload(path: str, _changed_ns: int, _size: int, key: str, mark: bool) -> Upload:
    spec = JobSpec(kind="train", **json.loads(key))
    records = _as_given(spec, Path(path))
    if records is None:
        records = [_record(row, spec.objective) for row in read_for_job(spec, path).rows]
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    body = text.encode("utf-8-sig" if mark else "utf-8")
    return Upload(tuple(records), body, f"tuneworthy-{hashlib.sha256(body).hexdigest()[:32]}.jsonl")


def _as_given(spec: JobSpec, path: Path) -> list[dict[str, Any]] | None:
    """The records of a file that is in the host's manner line by line; None for any other."""
    if path.suffix != ".jsonl" or spec.inputs or spec.output or spec.records or spec.template or spec.system_prompt:
        return None
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        records = [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError, RecursionError):
        return None
    wanted = ("input", "preferred_output", "non_preferred_output") if spec.objective == "dpo" else ("messages",)
    known = {*wanted, "tools", "parallel_tool_calls"}
    if not records or not all(isinstance(each, dict) and set(wanted) <= set(each) <= known for each in records):
        return None
    return records


def _record(row: Row, objective: str) -> dict[str, Any]:
    if objective != "dpo":
        return {"messages": as_chat(row)["messages"]}
    asked = [{"role": turn.role, "content": turn.content} for turn in row.asked]
    return {
        "input": {"messages": asked},
        "preferred_output": [{"role": "assistant", "content": row.answer}],
        "non_preferred_output": [{"role": "assistant", "content": str(row.extra.get(REJECTED, ""))}],
    }


def row_tokens(record: dict[str, Any], chars_per_token: float = CHARS_PER_TOKEN) -> float:
    """Tokens of a row, by the length of its text. Tools count as text."""
    turns = list(_turns(record))
    text = sum(len(each) for each in _texts(record))
    return ROW_TOKENS + TURN_TOKENS * len(turns) + text / chars_per_token


def row_problems(upload: Upload, profile: HostProfile, where: str, *, validation: bool = False) -> list[Problem]:
    """Every rule of the host's that the rows break, each with its first lines."""
    found: dict[str, list[int]] = {}
    for line, record in enumerate(upload.records, start=1):
        for what in set(_faults(record, profile)):
            found.setdefault(what, []).append(line)
    problems = [
        Problem(what=f"{what}: {_lines(lines)}.", where=where, hint=_HINTS[what]) for what, lines in found.items()
    ]
    if len(upload.records) < profile.min_rows and not validation:
        what = f"{profile.label} wants {profile.min_rows} rows at least, and there are {len(upload.records)}."
        problems.append(Problem(what=what, where=where, hint="Add rows; 50 to 100 are a fair beginning."))
    if len(upload.body) > profile.max_file_mb * 10**6:
        what = f"the rows take {len(upload.body) / 1e6:,.0f} MB, and {profile.label} takes {profile.max_file_mb}."
        problems.append(Problem(what=what, where=where, hint="Give fewer rows."))
    return problems


def upload_problems(spec: JobSpec, path: str, profile: HostProfile, where: str) -> list[Problem]:
    """As `row_problems`, for a file that may not be readable at all."""
    try:
        return row_problems(upload_of(spec, path, profile), profile, where, validation=where == "validation")
    except TuneworthyError as error:
        return [problem.model_copy(update={"where": where}) for problem in error.problems()]


_NO_TURNS = "rows without turns"
_NO_ANSWER = "rows without an answer of the assistant"
_ROLE = "turns of a role that the host does not know"
_EMPTY = "turns that say nothing"
_WEIGHT = "turns with a weight other than 0 or 1"
_MARK = "rows that hold a special token such as <|...|>"
_LONG = "rows longer than the host reads, cut from their end"
_HINTS = {
    _NO_TURNS: "Give each row a question and an answer.",
    _NO_ANSWER: "End each row with what the model should say.",
    _ROLE: f"Roles: {', '.join(ROLES)}.",
    _EMPTY: "Take them out, or fill them.",
    _WEIGHT: "Take the weight out, or write 0 for turns that are not to be learned.",
    _MARK: "The host refuses the whole file for one of them: take it out.",
    _LONG: "Shorten them, or leave them out.",
}


def _faults(record: dict[str, Any], profile: HostProfile) -> Iterator[str]:
    turns = list(_turns(record))
    if not turns:
        yield _NO_TURNS
    if not any(turn.get("role") == "assistant" for turn in turns):
        yield _NO_ANSWER
    for turn in turns:
        if turn.get("role") not in ROLES:
            yield _ROLE
        if not (turn.get("content") or turn.get("tool_calls") or turn.get("function_call")):
            yield _EMPTY
        if turn.get("weight", 1) not in (0, 1):
            yield _WEIGHT
    if any(_SPECIAL.search(text) for text in _texts(record)):
        yield _MARK
    if row_tokens(record) > profile.max_row_tokens:
        yield _LONG


def _turns(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    given = record.get("input")
    lists = [record.get("messages"), given.get("messages") if isinstance(given, dict) else None]
    lists += [record.get("preferred_output"), record.get("non_preferred_output")]
    for turns in lists:
        yield from (turn for turn in turns or () if isinstance(turn, dict))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a record, but pictures, which are counted otherwise."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            if key not in ("role", "image_url", "type"):
                yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _lines(lines: Sequence[int]) -> str:
    shown = ", ".join(f"{line:,}" for line in lines[:_SHOWN_LINES])
    more = f" and {len(lines) - _SHOWN_LINES:,} more" if len(lines) > _SHOWN_LINES else ""
    return f"line{'s' if len(lines) > 1 else ''} {shown}{more}"
