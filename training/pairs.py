"""Preference pairs as token ids and labels: two answers behind one prompt, by the renderer of all other rows.

No torch here. What is compared is the last answer; earlier turns of the assistant belong to the prompt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from core.errors import BadInput, NotFound, Problem
from core.jobspec import JobSpec
from core.paths import typed_path
from core.run_folder import RunFolder
from dataset.job_rows import read_for_job
from dataset.preference import REJECTED
from dataset.render import Encoded, Renderer
from dataset.row import Message, Row
from training.rows import Part


def load_pairs(spec: JobSpec, path: str, renderer: Renderer, max_tokens: int) -> Part:
    """The pairs of `path`: the chosen answers as its rows, the others as its `rejected`.

    A pair is left out where one of its answers is empty or lies behind the cut, and where both are the same. Raises
    `BadInput` where no pair is left.
    """
    data = read_for_job(spec, path)
    part = Part(path, data.sha256, [], len(data.rows), 0, 0, 0, 0)
    unreadable = sum(found.count for found in data.findings if found.check == "bad_line")
    cut = without = refused = 0
    first = ""
    for row, chosen, other in _encoded(data.rows, renderer, max_tokens):
        if isinstance(chosen, BadInput) or isinstance(other, BadInput):
            refused += 1
            error = chosen if isinstance(chosen, BadInput) else other
            assert isinstance(error, BadInput)
            first = first or f"line {row.line} {error.message} {error.hint}".strip()
            continue
        cut += chosen.truncated or other.truncated
        if chosen.trainable and other.trainable and chosen.input_ids != other.input_ids:
            part.rows.append(chosen)
            part.rejected.append(other)
            part.lines.append(row.line)
        else:
            without += 1
    if not part.rows:
        why = first or "in none of them is there a chosen answer and another one within the limit."
        raise BadInput(f"has no usable pair: {why}", "Mend the pairs, or set a larger max_tokens.", file=path)
    return replace(part, cut=cut, without_answer=without, refused=refused, unreadable=unreadable, first_problem=first)


def _encoded(
    rows: tuple[Row, ...], renderer: Renderer, max_tokens: int
) -> Iterator[tuple[Row, Encoded | BadInput, Encoded | BadInput]]:
    chosen = [_with_answer(row, row.messages[-1].content) for row in rows]
    other = [_with_answer(row, str(row.extra.get(REJECTED, ""))) for row in rows]
    both = zip(renderer.encode_all(chosen, max_tokens), renderer.encode_all(other, max_tokens), strict=True)
    for row, ((_, one), (_, two)) in zip(rows, both, strict=True):
        yield row, one, two


def _with_answer(row: Row, answer: str) -> Row:
    """The row's prompt with this answer, the only turn that is learned."""
    before = tuple(Message(each.role, each.content, learned=False) for each in row.messages[:-1])
    return Row((*before, Message("assistant", answer)), row.line)


def sides(chosen: Encoded, other: Encoded) -> tuple[list[int], list[int], list[int]]:
    """Token ids of the prompt, the chosen answer and the other one. What is behind an answer's end is not learned."""
    (start, end), (other_start, other_end) = _learned(chosen), _learned(other)
    shared = 0
    for one, two in zip(chosen.input_ids[:start], other.input_ids[:other_start], strict=False):
        if one != two:
            break
        shared += 1
    return chosen.input_ids[:shared], chosen.input_ids[shared:end], other.input_ids[shared:other_end]


def _learned(row: Encoded) -> tuple[int, int]:
    places = [place for place, label in enumerate(row.labels) if label >= 0]
    return places[0], places[-1] + 1


def start_folder(spec: JobSpec) -> Path | None:
    """Folder of the adapter from which preference tuning starts; None for the bare base. Raises `NotFound`."""
    folder = RunFolder.of(spec.job).adapter if spec.job else typed_path(spec.adapter) if spec.adapter else None
    if folder is not None and not (folder / "adapter_config.json").is_file():
        raise NotFound(f"no adapter at {folder}.", "Name a train job that has ended, or an adapter's folder.")
    return folder


def preference_problems(spec: JobSpec) -> list[Problem]:
    """What does not go with learning from pairs."""
    if spec.objective == "sft":
        if spec.kind == "train" and (spec.job or spec.adapter):
            what = "a plain training starts from the base."
            hint = "Leave it out; to go on with a training, use `resume_of`."
            return [Problem(what=what, where="job" if spec.job else "adapter", hint=hint)]
        return []
    found = []
    if spec.method.kind != "lora":
        found.append(("method.kind", f"preference tuning of {spec.method.kind} is not in this release.", "Use `lora`."))
    if spec.method.dropout:
        found.append(("method.dropout", "in preference tuning nothing is dropped.", "Leave `dropout` out."))
    if spec.method.dora and (spec.job or spec.adapter):
        found.append(("method.dora", "the adapter to start from says itself what it is.", "Leave `dora` out."))
    if spec.neftune_alpha:
        found.append(("neftune_alpha", "noise does not go with preference tuning.", "Leave it out."))
    if spec.n_gpus > 1 or spec.shard_base:
        found.append(("n_gpus", "preference tuning on several cards is not in this release.", "Set `n_gpus: 1`."))
    if spec.inputs or spec.output or spec.template:
        what = "pairs say themselves which is the prompt."
        found.append(("inputs", what, "Leave `inputs`, `output` and `template` out."))
    if spec.job and spec.adapter:
        found.append(("adapter", "both `job` and `adapter` say where to start.", "Name one."))
    return [Problem(what=what, where=where, hint=hint) for where, what, hint in found]
