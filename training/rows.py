"""The rows of a training run, as token ids and labels: read, cut to length, counted. No torch here.

Whatever is left out is counted before the trainer sees the data, because TRL drops rows without a word.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from core.errors import BadInput, NotFound, Refused
from core.jobspec import JobSpec
from cost_models.shapes import shape_of
from dataset.job_rows import read_for_job
from dataset.render import Encoded, Renderer
from dataset.understood import Dataset


@dataclass(frozen=True)
class Part:
    """One file of rows, ready for the trainer."""

    path: str
    sha256: str
    rows: list[Encoded]
    in_file: int
    """Rows that could be read."""
    cut: int
    """Rows longer than the limit, that lost their end."""
    without_answer: int
    """Rows left out, because no token of them would be learned."""
    refused: int
    """Rows left out, because the chat template refuses them."""
    unreadable: int
    """Lines left out, because they could not be read."""
    first_problem: str = ""
    lines: list[int] = field(default_factory=list)
    """Where each of `rows` stands in the file: its 1-based line, or the number of its record; 0 for one mixed in."""
    rejected: list[Encoded] = field(default_factory=list)
    """The answers that were not preferred, where the rows are pairs: one for each of `rows`, behind the same prompt."""
    mixed: dict[str, int] = field(default_factory=dict)
    """Rows mixed in behind those of the file, by kind: general, unsafe, safe."""

    @property
    def token_counts(self) -> list[int]:
        """Tokens of each row after cutting; of a pair, both sides at the length of the longer one."""
        if self.rejected:
            both = zip(self.rows, self.rejected, strict=True)
            return [2 * max(len(chosen.input_ids), len(other.input_ids)) for chosen, other in both]
        return [len(row.input_ids) for row in self.rows]

    @property
    def own_rows(self) -> int:
        """Rows of the file itself."""
        return len(self.rows) - sum(self.mixed.values())

    @property
    def left_out(self) -> int:
        """Rows and lines that could not be learned from."""
        return self.without_answer + self.refused + self.unreadable

    def notes(self, name: str, max_tokens: int) -> list[str]:
        """What a person should know of it; empty where all rows went in whole."""
        found = []
        if self.cut:
            found.append(f"{_rows(self.cut)} of {self.in_file} {name} were cut to {max_tokens} tokens.")
        if self.without_answer:
            found.append(f"{_rows(self.without_answer)} of the {name} had no token to learn and were left out.")
        if self.refused:
            found.append(f"{_rows(self.refused)} of the {name} were left out: {self.first_problem}")
        if self.unreadable:
            found.append(f"{self.unreadable} lines of the {name} could not be read and were left out.")
        return found


def load_part(spec: JobSpec, path: str, renderer: Renderer, max_tokens: int) -> Part:
    """The rows of `path`, at most `max_tokens` each. Raises `BadInput` where no row has a token to learn."""
    data = read_for_job(spec, path)
    kept: list[Encoded] = []
    lines: list[int] = []
    cut = without = refused = lost = 0
    first = ""
    for row, encoded in renderer.encode_all(data.rows, max_tokens):
        if isinstance(encoded, BadInput):
            refused += 1
            first = first or f"line {row.line} {encoded.message} {encoded.hint}".strip()
            continue
        cut += encoded.truncated
        # The first token has nothing before it that it could be predicted from.
        if encoded.trainable and any(label >= 0 for label in encoded.labels[1:]):
            kept.append(encoded)
            lines.append(row.line)
        else:
            without += 1
            lost += encoded.truncated
    part = Part(path, data.sha256, kept, len(data.rows), cut, without, refused, _unreadable(data), first, lines)
    if not kept:
        raise BadInput(*_why_empty(part, lost, max_tokens), file=path)
    return part


def longest_row(spec: JobSpec, base: Path) -> int:
    """Tokens of the longest row: as asked, and no longer than the model in the folder `base` can read."""
    try:
        return min(spec.max_tokens, shape_of(spec.base_model, base).context)
    except (BadInput, NotFound):
        return spec.max_tokens


def refuse_changed(spec: JobSpec, part: Part) -> None:
    """Raise `Refused` when the training file is not the one that the job was asked for."""
    if spec.dataset_sha256 and spec.dataset_sha256 != part.sha256:
        raise Refused(
            f"{part.path} has changed since the job was asked for: its sha256 is {part.sha256[:12]}…, "
            f"expected {spec.dataset_sha256[:12]}….",
            "Put the file back, or launch a new job with the new one.",
        )


def _unreadable(data: Dataset) -> int:
    return sum(found.count for found in data.findings if found.check == "bad_line")


def _why_empty(part: Part, lost: int, max_tokens: int) -> tuple[str, str]:
    if part.refused == part.in_file:
        return f"has no usable row: {part.first_problem}", "Mend the rows, or take another base model."
    if lost:
        return (
            f"has no row with a token to learn: all answers lie behind the first {max_tokens} tokens.",
            "Set a larger max_tokens, or shorten the prompts.",
        )
    return "has no row with a token to learn: no assistant turn has a text.", "Add the answers."


def _rows(count: int) -> str:
    return f"{count} row{'s' if count != 1 else ''}"
