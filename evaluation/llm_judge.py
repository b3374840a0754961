"""A hosted model as a judge of free text: marks from 1 to 5 against the expected answer, and the better one of two.

Its marks stand beside the metric and replace nothing. It is asked through `evaluation.endpoint`: every reply is kept by
the hash of what was asked, so that after a failure or a stop only the rest is asked. No more is trusted than what an
answer's reply says in the asked form, and how often it agrees with people is for people to measure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.endpoint_address import usable
from core.jobspec import JobSpec
from dataset.row import Message
from evaluation.answering import Progress, Stopped
from evaluation.blind_pairs import rival_among
from evaluation.endpoint import Endpoint
from evaluation.llm_choices import Contest, choose_better
from evaluation.llm_marks import LlmJudgement, LlmMarks
from evaluation.report import ModelName
from evaluation.rows import JudgedRows
from evaluation.shown_texts import GIVEN, shown_texts

_MOST_TOKENS = 1024
"""Some models think aloud before they answer; most need forty tokens."""
_NOT_JUDGED = ("classic",)
"""Gives labels alone: there is nothing to read in them."""
_MARK = re.compile(r"^\W*mark\W+([1-5])(?!\d|[.,]\d)", re.IGNORECASE | re.MULTILINE)
_MARKING = f"""You mark an answer against the one that a person wrote as the right one.
5: says the same, nothing of weight is missing or wrong, in a fitting form.
4: right in all that matters; small things are missing, too much, or worse put.
3: right in part: something that matters is missing or doubtful.
2: mostly wrong, or beside the question, with something right in it.
1: wrong, empty, refused without need, or senseless.
Other words for the same thing lose nothing. Length, politeness and confidence earn nothing.
{GIVEN}
Reply with two lines: one short sentence on what decides, then `Mark: N`."""


@dataclass(frozen=True)
class Answered:
    """One answer to be marked."""

    asked: str
    expected: str
    answer: str


def judge_endpoint(spec: JobSpec) -> Endpoint:
    """The judge that a spec names in `judge`, looked at before any work is done.

    Raises `BadInput` for what is no address, `Refused` without network, `EngineError` without its key.
    """
    return Endpoint(usable(spec.judge or "", whom="judge", allow_network=spec.allow_network))


def judge_all(
    endpoint: Endpoint,
    rows: JudgedRows,
    said: Mapping[ModelName, Sequence[str]],
    *,
    progress: Progress,
    should_stop: Callable[[], bool],
) -> LlmJudgement:
    """Marks of every model's answers to the rows that training has not seen, and the better one of tuned and rival.

    `said` holds a text a held-out row. The rival is the best prompt, or the base; where both say the same, nobody asks.

    Raises `Stopped`, or `EngineError` where the host fails: the marks so far are kept, and a resumed job goes on there.
    """
    places = [(name, at) for name in said if name not in _NOT_JUDGED for at in rows.honest]
    items = [Answered(rows.test[at].user_text, rows.test[at].answer, said[name][at]) for name, at in places]
    rival = rival_among(said)
    differ = [at for at in rows.honest if rival and said["tuned"][at].split() != said[rival][at].split()]
    contests = [
        Contest(rows.test[at].user_text, rows.test[at].answer, said["tuned"][at], said[rival][at])
        for at in differ
        if rival
    ]
    progress.stage(f"asking the judge {endpoint.address.model}")
    progress.total += len(items) + 2 * len(contests)
    fresh = 0

    def told(replies: int, seconds: float) -> None:
        nonlocal fresh
        fresh += replies
        progress.computed(replies, seconds)

    marks = mark_answers(endpoint, items, stop=should_stop, told=told)
    choices = choose_better(endpoint, contests, stop=should_stop, told=told) if len(marks) == len(items) else []
    progress.known(len(marks) + 2 * len(choices) - fresh)
    if len(marks) < len(items) or len(choices) < len(contests):
        raise Stopped
    models: dict[str, LlmMarks] = {}
    for (name, at), mark in zip(places, marks, strict=True):
        models.setdefault(name, LlmMarks()).marks[rows.test[at].line] = mark
    address = endpoint.address
    return LlmJudgement(
        judge=f"{address.model} at {address.host}",
        not_greedy=endpoint.not_greedy,
        models=models,
        rival=rival or "",
        choices={rows.test[at].line: choice for at, choice in zip(differ, choices, strict=True)},
    )


def mark_answers(
    endpoint: Endpoint,
    items: Sequence[Answered],
    *,
    stop: Callable[[], bool] | None = None,
    told: Callable[[int, float], None] | None = None,
) -> list[int | None]:
    """A mark from 1 to 5 an answer, None for a reply without one. Shorter than asked for when `stop` turns true.

    An empty answer gets a 1 unasked. Raises `EngineError` where the host fails.
    """
    asked = [item for item in items if item.answer.strip()]
    replies = endpoint.ask([marking(item) for item in asked], max_new_tokens=_MOST_TOKENS, stop=stop, told=told)
    left = iter(replies)
    found: list[int | None] = []
    for item in items:
        if not item.answer.strip():
            found.append(1)
        elif (reply := next(left, None)) is None:
            break
        else:
            found.append(_mark_in(reply.text))
    return found


def marking(item: Answered) -> list[Message]:
    """What the judge is asked about one answer."""
    texts = {"Question": item.asked, "Right answer": item.expected, "Answer to mark": item.answer}
    return shown_texts(_MARKING, texts)


def _mark_in(reply: str) -> int | None:
    # The last one: who thinks aloud may weigh others on the way.
    found = _MARK.findall(reply)
    return int(found[-1]) if found else None
