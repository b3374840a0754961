"""A hosted model asked which of two answers is better, in both orders: one that goes by the place says nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dataset.row import Message
from evaluation.endpoint import Endpoint
from evaluation.llm_marks import Choice
from evaluation.shown_texts import GIVEN, shown_texts

_MOST_TOKENS = 1024
"""As for marks: some models think aloud before they answer."""
_BETTER = re.compile(r"^\W*better\W+(first|second|neither)\b", re.IGNORECASE | re.MULTILINE)
_CHOOSING = f"""You are shown two answers to the same question, and the answer that a person wrote as the right one. \
Say which of the two is nearer to what that person would have said, in content first and in tone and form next.
Which one stands first is chance. Length, politeness and confidence earn nothing.
{GIVEN}
Reply with two lines: one short sentence on what decides, then `Better: first`, `Better: second` or `Better: neither`.
"""


@dataclass(frozen=True)
class Contest:
    """Two answers to be told apart."""

    asked: str
    expected: str
    first: str
    second: str


def choose_better(
    endpoint: Endpoint,
    contests: Sequence[Contest],
    *,
    stop: Callable[[], bool] | None = None,
    told: Callable[[int, float], None] | None = None,
) -> list[Choice | None]:
    """The better one of each two, asked in both orders, which must agree; None for a reply that cannot be read.

    Shorter than asked for when `stop` turns true. Raises `EngineError` where the host fails.
    """
    turned = [Contest(each.asked, each.expected, each.second, each.first) for each in contests]
    both = [choosing(each) for pair in zip(contests, turned, strict=True) for each in pair]
    replies = endpoint.ask(both, max_new_tokens=_MOST_TOKENS, stop=stop, told=told)
    said = [_better_in(reply.text) for reply in replies]
    # After a stop the last one may have been asked in one order only.
    return [_agreed(one, other) for one, other in zip(said[::2], said[1::2], strict=False)]


def _agreed(one: str | None, other: str | None) -> Choice | None:
    if one is None or other is None:
        return None
    back = {"first": "second", "second": "first", "neither": "neither"}[other]
    if one != back:
        return "swayed"
    return "first" if one == "first" else "second" if one == "second" else "neither"


def choosing(contest: Contest) -> list[Message]:
    """What the judge is asked about two answers in this order."""
    texts = {"Question": contest.asked, "Right answer": contest.expected}
    return shown_texts(_CHOOSING, texts | {"First answer": contest.first, "Second answer": contest.second})


def _better_in(reply: str) -> str | None:
    found = _BETTER.findall(reply)
    return str(found[-1]).casefold() if found else None
