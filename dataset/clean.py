"""Clean a data set: chosen fixes over all rows, one after the other, with every change told by line of the original."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from core.errors import BadInput
from dataset import fixes as mend
from dataset.finding import Finding
from dataset.fixes import Mended
from dataset.row import Row


@dataclass(frozen=True, slots=True)
class Fix:
    """Something that can be done about a finding."""

    id: str
    title: str
    does: str
    """One sentence for people: what goes, what stays."""
    check: str
    """The finding for which it is offered."""
    run: Callable[[Sequence[Row], Sequence[Row]], Iterator[Mended]]
    """(rows, training rows) -> what becomes of some of them."""
    held_out: bool = False
    """True: it looks at held-out rows beside the training rows."""
    changes: bool = False
    """True: it changes rows rather than drop them, so it should run over held-out rows as well."""


def _alone(fix: Callable[[Sequence[Row]], Iterator[Mended]]) -> Callable[..., Iterator[Mended]]:
    return lambda rows, _training: fix(rows)


FIXES: dict[str, Fix] = {
    fix.id: fix
    for fix in (
        Fix(
            "bad_line",
            "Leave unreadable lines out",
            "Lines that could not be read are in no copy anyway; the manifest names them.",
            "bad_line",
            lambda _rows, _training: iter(()),
        ),
        # In this order, whatever the order in which they are named: texts are mended before they are compared, and
        # conflicts are decided before the first of equal inputs is kept.
        Fix(
            "bad_roles",
            "Rename wrong roles",
            "Model, Chatbot and their like become assistant; human becomes user. Other names stay.",
            "bad_roles",
            _alone(mend.wrong_roles),
            changes=True,
        ),
        Fix(
            "label_spelling",
            "One spelling a label",
            "Labels that differ only in case, blanks or punctuation get their most frequent spelling.",
            "label_spelling",
            mend.spelled_labels,
            changes=True,
        ),
        Fix(
            "secret",
            "Take secrets out",
            "Keys, tokens and passwords become [secret]. Revoke them all the same.",
            "secret",
            _alone(mend.secrets),
            changes=True,
        ),
        Fix(
            "pii",
            "Mask personal data",
            "Addresses and numbers become [email], [phone], [iban] and so on. Names stay.",
            "pii",
            _alone(mend.personal),
            changes=True,
        ),
        Fix(
            "missing_assistant",
            "Drop rows without an answer",
            "Rows whose last turn is not the assistant's go.",
            "missing_assistant",
            _alone(mend.without_answer),
        ),
        Fix(
            "empty_text",
            "Drop rows with an empty turn",
            "Such rows go; an empty system turn is only taken out.",
            "empty_text",
            _alone(mend.without_text),
        ),
        Fix(
            "conflicting_labels",
            "Drop conflicting rows",
            "All rows go whose input stands elsewhere with another answer.",
            "conflicting_labels",
            _alone(mend.conflicting),
        ),
        Fix(
            "conflicting_labels_majority",
            "Keep the majority's answer",
            "Of conflicting rows those of the most frequent answer stay; where none leads, all go.",
            "conflicting_labels",
            _alone(mend.outvoted),
        ),
        Fix(
            "exact_duplicate",
            "Drop repeated inputs",
            "The first row of each input stays, whatever the answers of the others.",
            "exact_duplicate",
            _alone(mend.repeated),
        ),
        Fix(
            "near_duplicate",
            "Drop near copies",
            "One row of near copies with the same answer stays. Those with another answer stay too.",
            "near_duplicate",
            _alone(mend.near_copies),
        ),
        Fix(
            "split_overlap",
            "Drop held-out rows seen in training",
            "Held-out rows go whose input stands in training. Training stays as it is.",
            "split_overlap",
            mend.seen_in_training,
            held_out=True,
        ),
        Fix(
            "split_near_overlap",
            "Drop held-out rows nearly seen",
            "Held-out rows go that have a near copy in training. Training stays as it is.",
            "split_near_overlap",
            mend.nearly_in_training,
            held_out=True,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Change:
    """A row before and after; dropped where there is no after."""

    before: Row
    after: Row | None
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one fix did."""

    fix: Fix
    changes: tuple[Change, ...]

    @property
    def dropped(self) -> int:
        """Rows that went."""
        return sum(change.after is None for change in self.changes)

    @property
    def changed(self) -> int:
        """Rows that stay with another text."""
        return len(self.changes) - self.dropped


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The rows that are left, in their order, and what each fix did."""

    rows: tuple[Row, ...]
    steps: tuple[Step, ...]

    @property
    def dropped(self) -> int:
        """Rows that went, over all fixes."""
        return sum(step.dropped for step in self.steps)


def offered(findings: Sequence[Finding]) -> list[Fix]:
    """The fixes for which there is a finding.

    A mere note about conflicts or spellings (`C++` and `C#`, several good answers, a rare name) is nothing to mend.
    """
    found = {
        finding.check
        for finding in findings
        if finding.severity != "note" or finding.check not in ("conflicting_labels", "label_spelling")
    }
    return [fix for fix in FIXES.values() if fix.check in found]


def in_order(ids: Collection[str]) -> list[Fix]:
    """Fixes by id, in the order in which they run. Raises `BadInput` for an id that is not there, or two that clash."""
    unknown = [fix for fix in ids if fix not in FIXES]
    if unknown:
        raise BadInput(f"there is no fix `{unknown[0][:60]}`.", f"There are: {', '.join(FIXES)}.")
    if {"conflicting_labels", "conflicting_labels_majority"} <= set(ids):
        raise BadInput("conflicting rows can be dropped or decided by majority, not both.", "Choose one of the two.")
    return [fix for fix in FIXES.values() if fix.id in ids]


def clean(rows: Sequence[Row], ids: Collection[str], *, training: Sequence[Row] | None = None) -> Cleaned:
    """Rows without what the fixes take out. Nothing is written, and the rows that were given stay as they are.

    `training` is what held-out rows are compared with. Raises `BadInput` for a fix that is not there, or one that
    needs training rows where none are given.
    """
    steps: list[Step] = []
    left = list(rows)
    for fix in in_order(ids):
        if fix.held_out and training is None:
            raise BadInput(f"the fix `{fix.id}` compares held-out rows with training.", "Give the training file too.")
        mended = {each.place: each for each in fix.run(left, training or ())}
        steps.append(
            Step(fix, tuple(Change(left[place], mended[place].after, mended[place].reason) for place in sorted(mended)))
        )
        left = [
            now
            for place, row in enumerate(left)
            if (now := mended[place].after if place in mended else row) is not None
        ]
    return Cleaned(tuple(left), tuple(steps))
