"""The rows of a judgement: held out, sampled, and compared with the training rows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import BadInput, Refused
from core.jobspec import JobSpec
from dataset.job_rows import read_for_job
from dataset.normalise import keys_of
from dataset.row import Row

SELECTION_ROWS = 16
"""Rows on which the best prompt is chosen: few, since each candidate answers all of them."""
_SMALLEST_PART_LEFT = 0.8


@dataclass(frozen=True)
class JudgedRows:
    """What is judged on, what the prompts are built from, and what they are chosen on."""

    test: list[Row]
    in_file: int
    """Rows with an answer in the file of held-out rows."""
    test_file: Path
    test_sha256: str
    leaked: frozenset[int]
    """Positions in `test` whose input stands in training."""
    train: list[Row]
    selection: list[Row]
    chosen_on_validation: bool
    shifted: list[Row] = field(default_factory=list)
    """Rows unlike the training rows, where the split has set some aside; none of them stands in training."""
    left_out: int = 0
    """Lines of the file of held-out rows that could not be read, and rows in it without an answer."""

    @property
    def trained_on(self) -> list[Row]:
        """All training rows: those set aside for the choice of the prompt were trained on too."""
        return self.train if self.chosen_on_validation else [*self.train, *self.selection]

    @property
    def honest(self) -> list[int]:
        """Positions in `test` that training has not seen."""
        return [at for at in range(len(self.test)) if at not in self.leaked]

    @property
    def one_answer(self) -> str:
        """What to say where every judged row wants the same; empty where they differ."""
        wanted = {self.test[at].answer.strip() for at in self.honest}
        if len(self.honest) < 2 or len(wanted) > 1:
            return ""
        return (
            f"All {len(self.honest)} judged rows have the same right answer, so a model that always says it is right "
            "every time: hold out rows with other answers too."
        )


def judged_rows(spec: JobSpec) -> JudgedRows:
    """The rows that a spec names: `test` (or else `validation`) to judge on, the first `n` of a seeded shuffle.

    Raises `BadInput` where no row can be judged, `Refused` where the training rows have changed.
    """
    path = spec.test or spec.validation
    if path is None:
        raise BadInput("no rows to judge on are given.", "Set `test` (or `validation`) to a file of held-out rows.")
    held_out = read_for_job(spec, path)
    rows = [row for row in held_out.rows if row.answer.strip() and row.asked]
    if not rows:
        raise BadInput("has no row with an answer.", "Judging needs rows with the right answer.", file=path)
    once = _once(rows)
    chosen = _sample(once, spec.n or len(once), spec.seed)
    train = trained = _training_rows(spec)
    # Leaks are looked for in all that the tune has seen, before any rows are set aside for the choice of the prompt.
    leaked = _leaks(chosen, train)
    selection: list[Row] = []
    on_validation = bool(spec.test and spec.validation)
    if spec.test and spec.validation:
        validation = [row for row in read_for_job(spec, spec.validation).rows if row.answer.strip()]
        selection = _sample(_unlike(validation, [*chosen, *train]), SELECTION_ROWS, spec.seed)
    if not selection and train:
        on_validation = False
        aside = _sample(train, min(SELECTION_ROWS, int(len(train) * (1 - _SMALLEST_PART_LEFT))), spec.seed)
        kept = {id(row) for row in aside}
        selection, train = aside, [row for row in train if id(row) not in kept]
    return JudgedRows(
        test=chosen,
        in_file=len(rows),
        test_file=held_out.path,
        test_sha256=held_out.sha256,
        leaked=leaked,
        train=train,
        selection=selection,
        chosen_on_validation=on_validation,
        shifted=_shifted(spec, trained),
        left_out=sum(found.count for found in held_out.findings if found.check == "bad_line")
        + len(held_out.rows)
        - len(rows),
    )


def _shifted(spec: JobSpec, train: Sequence[Row]) -> list[Row]:
    if not spec.shifted:
        return []
    rows = [row for row in read_for_job(spec, spec.shifted).rows if row.answer.strip() and row.asked]
    return _unlike(rows, train)


def _training_rows(spec: JobSpec) -> list[Row]:
    """Rows with an answer. Raises `Refused` where the file is not the one that was trained on."""
    if not spec.dataset:
        return []
    data = read_for_job(spec, spec.dataset)
    if spec.dataset_sha256 and spec.dataset_sha256 != data.sha256:
        raise Refused(
            f"{spec.dataset} has changed since the tune was asked for, so what was trained on is not known.",
            "Put the file back, or launch a new evaluation with the new one.",
        )
    return [row for row in data.rows if row.answer.strip()]


def _sample(rows: Sequence[Row], n: int, seed: int) -> list[Row]:
    """At most `n` rows, drawn by the seed, in the order of the file."""
    if n >= len(rows):
        return list(rows)
    places = sorted(random.Random(seed).sample(range(len(rows)), n))
    return [rows[place] for place in places]


def _leaks(test: Sequence[Row], train: Sequence[Row]) -> frozenset[int]:
    """Positions of test rows whose input (normalised) stands in training.

    Where one of the two has no system turn, the user turns alone are compared: an instruction that was added makes no
    new question.
    """
    trained, asked = keys_of(train), keys_of(test)
    seen = set(trained.inputs) - {""}
    bare = {key for row, key in zip(train, trained.users, strict=True) if not _instructed(row)} - {""}
    anyhow = set(trained.users) - {""}
    return frozenset(
        at
        for at, (row, key, user) in enumerate(zip(test, asked.inputs, asked.users, strict=True))
        if key in seen or user in (bare if _instructed(row) else anyhow)
    )


def _instructed(row: Row) -> bool:
    return bool(row.messages) and row.messages[0].role == "system"


def _once(rows: Sequence[Row]) -> list[Row]:
    """The first of each conversation: a row that stands ten times is one piece of evidence."""
    first: dict[tuple[str, str], Row] = {}
    for row, key in zip(rows, keys_of(rows).inputs, strict=True):
        first.setdefault((key, row.answer.strip()), row)
    return list(first.values())


def _unlike(rows: Sequence[Row], test: Sequence[Row]) -> list[Row]:
    """Rows whose input is not one of the test rows'."""
    seen = set(keys_of(test).inputs)
    return [row for row, key in zip(rows, keys_of(rows).inputs, strict=True) if key not in seen]
