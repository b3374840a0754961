"""Label tasks, label by label: which are found, which are taken for which, and which answers are no label at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from dataset.normalise import normalise
from evaluation.stats import Interval, wilson

OTHER = "(no label)"
"""What an answer that is none of the labels is called in words and in the last column of the matrix."""
_MAX_SHOWN = 60


class _Part(BaseModel):
    # A later release adds fields; an older one must still read its files.
    model_config = ConfigDict(extra="ignore")


class LabelScore(_Part):
    """One label."""

    label: str
    support: int
    """Rows whose right answer it is."""
    said: int
    """Rows on which the model says it."""
    right: int
    """Rows on which it is said and right."""
    precision: float | None
    """Right of those said; None where it was never said."""
    recall: Interval | None
    """Right of those expected, with Wilson's interval; None where no row expects it."""
    f1: float | None
    """2 right / (support + said); None where it neither stands in a row nor was said."""


class Confusion(_Part):
    """What one model made of every label."""

    n: int
    accuracy: Interval
    """Share of rows with the right label: the exact match."""
    macro_f1: float
    """Mean F1 of the labels that rows expect: each label counts alike, however rare."""
    labels: list[LabelScore]
    """The most frequent first."""
    counts: dict[str, dict[str, int]]
    """{right label: {label said: rows}}, without the zeros."""
    others: dict[str, int]
    """{right label: rows whose answer is no label}."""
    nearly: int
    """Answers that are no label, but would be one but for case and punctuation."""
    sentence: str
    """Where it errs most, in plain words; empty where it does not err."""

    def matrix(self) -> list[list[int]]:
        """Rows: right labels; columns: labels said, and last those that are none. In the order of `labels`."""
        names = [score.label for score in self.labels]
        return [
            [*(self.counts.get(right, {}).get(said, 0) for said in names), self.others.get(right, 0)] for right in names
        ]


def confusions(
    expected: Sequence[str], said: Mapping[str, Sequence[str]], known: Sequence[str] = ()
) -> dict[str, Confusion]:
    """{model: confusion} on the same rows. `known`: training answers, whose labels count as labels too."""
    return {name: confusion(expected, answers, known) for name, answers in said.items()}


def confusion(expected: Sequence[str], answers: Sequence[str], known: Sequence[str] = ()) -> Confusion:
    """The table of one model. Labels are compared as in `exact_match`: equal but for white space around them.

    Raises `ValueError` when there are not as many answers as rows.
    """
    pairs = [(right.strip(), answer.strip()) for right, answer in zip(expected, answers, strict=True)]
    support = Counter(right for right, _ in pairs)
    order = sorted(support, key=lambda label: (-support[label], label))
    names = list(dict.fromkeys([*order, *sorted({label.strip() for label in known if label.strip()})]))
    labels = set(names)
    counts: dict[str, dict[str, int]] = {}
    for (right, answer), rows in Counter(pairs).items():
        if answer in labels:
            counts.setdefault(right, {})[answer] = rows
    others = Counter(right for right, answer in pairs if answer not in labels)
    spelled = {normalise(label) for label in names} - {""}
    scores = [_label_score(label, support[label], pairs) for label in names]
    f1s = [score.f1 for score in scores if score.support and score.f1 is not None]
    return Confusion(
        n=len(pairs),
        accuracy=wilson(sum(right == answer for right, answer in pairs), len(pairs)),
        macro_f1=sum(f1s) / len(f1s) if f1s else 0.0,
        labels=scores,
        counts=counts,
        others=dict(others),
        nearly=sum(answer not in labels and normalise(answer) in spelled for _, answer in pairs),
        sentence=_sentence(pairs, labels, support),
    )


def _label_score(label: str, support: int, pairs: Sequence[tuple[str, str]]) -> LabelScore:
    said = sum(answer == label for _, answer in pairs)
    right = sum(expected == answer == label for expected, answer in pairs)
    return LabelScore(
        label=label,
        support=support,
        said=said,
        right=right,
        precision=right / said if said else None,
        recall=wilson(right, support) if support else None,
        f1=2 * right / (support + said) if support + said else None,
    )


def _sentence(pairs: Sequence[tuple[str, str]], labels: set[str], support: Mapping[str, int]) -> str:
    wrong = Counter((right, answer if answer in labels else OTHER) for right, answer in pairs if right != answer)
    if not wrong:
        return ""
    (right, answer), rows = min(wrong.items(), key=lambda item: (-item[1], item[0]))
    taken = "is answered with no label" if answer == OTHER else f"is taken for `{_short(answer)}`"
    return f"Most often `{_short(right)}` {taken}: {rows} of its {support[right]} rows."


def _short(label: str) -> str:
    return label if len(label) <= _MAX_SHOWN else f"{label[: _MAX_SHOWN - 1]}\u2026"
