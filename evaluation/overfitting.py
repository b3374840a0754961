"""Has the tune learned its rows by heart? The gap between seen and unseen rows, and answers copied from training."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel

from dataset.normalise import keys_of, normalise
from dataset.row import Row
from evaluation.classic import is_label_task
from evaluation.kept import MARGIN
from evaluation.stats import Interval, interval, paired_bootstrap, wilson

WHOLE_ANSWER_WORDS = 8
"""An answer of so many words or more that is a training answer word for word is a copy; shorter ones may be chance."""
RUN_WORDS = 12
"""A run of so many words of a training answer is a copy wherever it stands."""
MIN_ROWS = 10
"""Below it on either side no gap is called anything."""
Finding = Literal["overfitted", "no gap", "cannot tell"]


class Gap(BaseModel):
    """How much better the tuned model does on rows that it was trained on than on others."""

    held_out: str
    """What the other rows are: validation, test, shifted ..."""
    trained: Interval
    other: Interval
    difference: float
    """Training score less the other one: -1 to 1."""
    low: float
    high: float
    found: Finding
    sentence: str

    @property
    def by_heart(self) -> bool:
        """True where at most half of what it does on its own rows is left on others, beyond luck."""
        return self.found == "overfitted" and self.other.high < self.trained.low / 2


class Copied(BaseModel):
    """One answer to a held-out row that stands in training as the answer to another input."""

    line: int
    """Of the held-out row."""
    train_line: int
    words: int
    """Length of the first run that is the same."""


class Copying(BaseModel):
    """How many answers are copies. `share` is None where the question makes no sense."""

    share: Interval | None
    sentence: str
    found: list[Copied] = []


def gaps(
    trained: Sequence[float],
    held_out: Mapping[str, Sequence[float]],
    *,
    margin: float = MARGIN,
    seed: int = 0,
) -> list[Gap]:
    """The gap of the training score to each of the others, in their order.

    Overfitted is a gap above `margin` whose interval leaves out zero. No gap: the whole interval is below the margin.
    """
    return [gap(trained, scores, name, margin=margin, seed=seed) for name, scores in held_out.items()]


def gap(
    trained: Sequence[float],
    other: Sequence[float],
    held_out: str,
    *,
    margin: float = MARGIN,
    seed: int = 0,
    paired: bool = False,
) -> Gap:
    """One gap. `paired` where `other` are the scores of the same rows, changed (misspelled, say), in the same order.

    Else the rows differ, and the interval of the difference is made of the two intervals (`difference_of`). Raises
    `ValueError` where pairs are asked for and the rows are not the same in number.
    """
    seen, unseen = interval(trained, seed), interval(other, seed)
    if paired:
        differences = [one - two for one, two in zip(trained, other, strict=True)]
        difference, low, high, _ = paired_bootstrap(differences, seed)
    else:
        difference = seen.score - unseen.score
        low, high = difference_of(seen, unseen)
    enough = min(len(trained), len(other)) >= MIN_ROWS
    found: Finding = "cannot tell"
    if enough and difference > margin and low > 0:
        found = "overfitted"
    elif enough and high < margin:
        found = "no gap"
    return Gap(
        held_out=held_out,
        trained=seen,
        other=unseen,
        difference=difference,
        low=low,
        high=high,
        found=found,
        sentence=_sentence(held_out, seen, unseen, (difference, low, high), found, enough),
    )


def difference_of(one: Interval, other: Interval) -> tuple[float, float]:
    """95 % interval of the difference of two means of different rows, from the interval of each.

    Newcombe's method 10 (1998, Statistics in Medicine 17) for shares with Wilson's intervals; for other means the same
    square-and-add step (Zou and Donner 2008, Statistics in Medicine 27).
    """
    difference = one.score - other.score
    below = math.hypot(one.score - one.low, other.high - other.score)
    above = math.hypot(one.high - one.score, other.score - other.low)
    return max(-1.0, difference - below), min(1.0, difference + above)


def copying(answers: Sequence[str], rows: Sequence[Row], train: Sequence[Row]) -> Copying:
    """Share of the tuned model's answers to `rows` that repeat the training answer to another input.

    A copy is a whole training answer of 8 words or more, or a run of 12 words of one. What stands in the row's own
    input or right answer is no copy: set phrases are asked for. Words as in `normalise`, so that scripts without
    spaces are looked at by the sentence only. Raises `ValueError` when there are not as many answers as rows.
    """
    pairs = list(zip(answers, rows, strict=True))
    known = [row for row in train if row.answer.strip()]
    if is_label_task([row.answer for row in known]):
        return Copying(share=None, sentence="not measured: the answers are labels, which repeat by design")
    if not pairs or not known:
        return Copying(share=None, sentence="not measured: there are no answers or no training rows to compare")
    train_words = [normalise(row.answer).split() for row in known]
    if not any(len(words) >= WHOLE_ANSWER_WORDS for words in train_words):
        return Copying(share=None, sentence=f"not measured: no training answer has {WHOLE_ANSWER_WORDS} words or more")
    inputs, asked = keys_of(known).inputs, keys_of(rows).inputs
    wanted = [_copyable(answer, row) for answer, row in pairs]
    holders = _holders(train_words, {run for runs in wanted for run in runs})
    found = []
    for place, runs in enumerate(wanted):
        source = next(
            ((at, len(run)) for run in runs for at in holders.get(run, ()) if inputs[at] != asked[place]), None
        )
        if source:
            found.append(Copied(line=rows[place].line, train_line=known[source[0]].line, words=source[1]))
    share = wilson(len(found), len(pairs))
    return Copying(share=share, sentence=_copy_sentence(found, len(pairs)), found=found)


Run = tuple[str, ...]


def _copyable(answer: str, row: Row) -> list[Run]:
    """Runs of the answer that would be copies if training held them: the whole, then each of `RUN_WORDS` words."""
    words = tuple(normalise(answer).split())
    runs = [words] if len(words) >= WHOLE_ANSWER_WORDS else []
    runs += [words[start : start + RUN_WORDS] for start in range(len(words) - RUN_WORDS + 1)]
    own = [f" {normalise(text)} " for text in (row.answer, row.input_text)]
    return [run for run in dict.fromkeys(runs) if not any(f" {' '.join(run)} " in text for text in own)]


def _holders(train_words: Sequence[list[str]], wanted: set[Run]) -> dict[Run, list[int]]:
    """{run: places of the training answers that hold it}: only of runs that were said, so that memory stays small."""
    found: dict[Run, list[int]] = defaultdict(list)
    for at, words in enumerate(train_words):
        whole = tuple(words)
        if whole in wanted:
            found[whole].append(at)
        for start in range(len(words) - RUN_WORDS + 1):
            run = whole[start : start + RUN_WORDS]
            if run in wanted and run != whole and found[run][-1:] != [at]:
                found[run].append(at)
    return found


def _sentence(
    held_out: str,
    seen: Interval,
    unseen: Interval,
    told: tuple[float, float, float],
    found: Finding,
    enough: bool,
) -> str:
    difference, low, high = (100 * value for value in told)
    scores = f"{seen.score:.2f} on training rows, {unseen.score:.2f} on {held_out} rows"
    between = f"{difference:.0f} points, between {low:.0f} and {high:.0f}"
    if found == "overfitted":
        return f"overfitted: {scores}; a gap of {between}"
    if found == "no gap":
        return f"no overfitting seen: {scores}; a gap of {between}"
    few = "" if enough else f"; {MIN_ROWS} rows on each side are the least"
    return f"cannot tell whether it is overfitted: {scores}; a gap of {between}{few}"


def _copy_sentence(found: Sequence[Copied], n: int) -> str:
    if not found:
        return f"none of {n} answers repeats the training answer to another input"
    first = found[0]
    repeats = "answer repeats" if len(found) == 1 else "answers repeat"
    return (
        f"{len(found)} of {n} {repeats} the training answer to another input: line {first.line} that of training line "
        f"{first.train_line}"
    )
