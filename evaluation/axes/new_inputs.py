"""Does the tune hold on inputs that look otherwise? The judged rows misspelled, in another layout and other words.

Every change is by rule and by seed, to the last user turn alone, and leaves the right answer right. What a team's own
future inputs look like no rule knows: `shifted` rows, unlike those of training, come nearest to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Literal

from dataset.row import Message, Row
from evaluation.axes.english import english
from evaluation.axes.least_like import least_like
from evaluation.axes.misspelled import misspelled
from evaluation.axes.paraphrased import paraphrased
from evaluation.axes.question import Question
from evaluation.axes.reformatted import reformatted
from evaluation.axes.untouched import is_code

Part = Literal["misspelled", "reformatted", "paraphrased", "shifted"]
PARTS: tuple[Part, ...] = ("misspelled", "reformatted", "paraphrased", "shifted")
UNLIKE_SHARE = 5
"""Where no shifted rows were set aside, at most one judged row in so many counts as unlike training."""
Rule = Callable[[str, str, Random], str | None]
_RULES: dict[Part, Rule] = {"misspelled": misspelled, "reformatted": reformatted, "paraphrased": paraphrased}


def questions(
    rows: Sequence[Row], n: int | None, seed: int, *, shifted: Sequence[Row] = (), train: Sequence[Row] = ()
) -> list[Question]:
    """At most `n` questions (all for None), a quarter of each part where there are enough; in the order of `PARTS`.

    `rows` are the judged rows. `shifted` are the rows that the split set aside; without them those of `rows` that are
    least like `train` are taken, a fifth at the most, and without training rows there are none. Paraphrases are made
    of rows in English alone. A row that no rule can change without touching its answer has no
    question in that part, nor has code.
    """
    each = len(rows) + len(shifted) if n is None else max(1, n // len(PARTS))
    drawn = _drawn(rows, each, seed)
    is_english = dict(zip((id(row) for row in drawn), english(drawn), strict=True))
    made: list[Question] = []
    for part, rule in _RULES.items():
        fit = [row for row in drawn if part != "paraphrased" or is_english[id(row)]]
        changed = (variant(row, part, rule, seed) for row in fit)
        made += [question for question in changed if question]
    if shifted:
        made += [
            _question(row, "shifted", f"shifted line {row.line}", row.asked) for row in _drawn(shifted, each, seed)
        ]
    else:
        unlike = least_like(rows, train, min(each, max(1, len(rows) // UNLIKE_SHARE)), seed=seed)
        made += [_question(row, "shifted", f"line {row.line}", row.asked) for row in unlike]
    return made if n is None else made[:n]


def variant(row: Row, part: Part, rule: Rule, seed: int) -> Question | None:
    """The row with its last user turn changed by `rule`; None where the rule has nothing to change."""
    last = max((at for at, message in enumerate(row.asked) if message.role == "user"), default=-1)
    if last < 0 or not row.asked[last].content.strip() or is_code(row.asked[last].content):
        return None
    # The seed of one row is its own: another sample of rows gives it the same variant.
    text = rule(row.asked[last].content, row.answer, Random(f"{seed} {part} {row.line}"))
    if text is None:
        return None
    turns = list(row.asked)
    turns[last] = replace(turns[last], content=text)
    return _question(row, part, f"line {row.line}", tuple(turns))


def _question(row: Row, part: Part, cluster: str, messages: tuple[Message, ...]) -> Question:
    return Question(
        id=f"{part}-{row.line}",
        axis="new_inputs",
        part=part,
        cluster=cluster,
        messages=messages,
        expected=row.answer,
    )


def _drawn(rows: Sequence[Row], count: int, seed: int) -> list[Row]:
    if count >= len(rows):
        return list(rows)
    return [rows[place] for place in sorted(Random(seed).sample(range(len(rows)), count))]
