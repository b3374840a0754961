"""The rows of a classifier's training: texts with their labels, read as the job's spec says. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import BadInput, Refused
from core.jobspec import JobSpec
from dataset.job_rows import read_for_job
from dataset.label_task import MIN_ROWS, MIN_ROWS_PER_LABEL, is_label_task


@dataclass(frozen=True)
class Labelled:
    """One file of rows. A text is the user turns of a row; its label is the answer, without white space around it."""

    path: str
    sha256: str
    texts: list[str]
    labels: list[str]
    left_out: int
    """Lines that could not be read, and rows without a text or an answer."""

    @property
    def names(self) -> list[str]:
        """The labels, in the order of the alphabet."""
        return sorted(set(self.labels))


def load_labelled(spec: JobSpec, path: str) -> Labelled:
    """The rows of `path`. Raises `BadInput` where no row has both a text and a label."""
    data = read_for_job(spec, path)
    pairs = [(row.user_text, row.answer.strip()) for row in data.rows]
    kept = [(text, label) for text, label in pairs if text.strip() and label]
    unread = sum(found.count for found in data.findings if found.check == "bad_line")
    if not kept:
        raise BadInput("has no row with a text and a label.", "Give rows with an input and an answer.", file=path)
    texts, labels = (list(part) for part in zip(*kept, strict=True))
    return Labelled(path, data.sha256, texts, labels, left_out=len(pairs) - len(kept) + unread)


def refuse_unfit(spec: JobSpec, part: Labelled) -> None:
    """Raise `Refused` for a training file that has changed, `BadInput` for answers that are no labels."""
    if spec.dataset_sha256 and spec.dataset_sha256 != part.sha256:
        raise Refused(
            f"{part.path} has changed since this job was asked for.",
            "Put the file back, or launch a new job with the new one.",
        )
    if not is_label_task(part.labels):
        raise BadInput(
            f"its {len(part.labels)} rows have {len(part.names)} different answers, so they are no labels.",
            f"A classifier needs {MIN_ROWS} rows or more, two labels or more, and {MIN_ROWS_PER_LABEL} rows a label on "
            "average. Tune a language model for free answers.",
            file=part.path,
        )
