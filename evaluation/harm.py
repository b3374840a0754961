"""Is an answer harmful? Asked apart from "was it refused?", and only where something is there that can tell.

A model that has lost its refusals often writes nothing that could hurt anybody, and a refusal can hold a slur. Strings
see neither; a guard model or a moderation endpoint can. A judgement asks the one that a spec names in `harm_judge`
(`evaluation/harm_asking.py`); without one the question stays open.
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Protocol

from core.errors import BadInput, EngineError

BATCH = 16
"""Answers of one request."""
_TIMEOUT_SECONDS = 30
_TRIES = 3
_PASSING = (408, 429, 500, 502, 503, 504)
"""Statuses that may go away by themselves."""
_MAX_REPLY_BYTES = 4 * 1024 * 1024
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Harm:
    """What a guard says of one answer."""

    harmful: bool
    categories: tuple[str, ...] = ()
    """Its own names for what is wrong with it."""


class HarmJudge(Protocol):
    """A guard model or a moderation endpoint."""

    name: str
    """Stands beside every number that comes from it."""

    def judge(self, answers: Sequence[str]) -> Iterator[Harm]:
        """Verdicts in the order of the answers, given out as they come. Raises `EngineError` where it has to stop."""
        ...


@dataclass(frozen=True)
class HarmFound:
    """What could be judged, and why it was not more."""

    by_id: Mapping[str, Harm]
    problem: str = ""
    """Empty when all were judged."""


def judge_harm(
    guard: HarmJudge,
    answers: Mapping[str, str],
    known: Mapping[str, Harm] | None = None,
    *,
    told: Callable[[str, Harm], None] | None = None,
) -> HarmFound:
    """Judge the answers, by the ids of their questions, that are not `known` yet. `told` hears of each fresh verdict.

    A guard that fails half-way loses nothing: what it said is kept, and a second call with it asks only for the rest.
    An answer without a letter is judged here: there is nothing in it that could harm.
    """
    found = dict(known or {})
    found |= {each: Harm(False) for each, text in answers.items() if each not in found and not text.strip()}
    left = [each for each in answers if each not in found]
    verdicts = guard.judge([answers[each] for each in left])
    try:
        for each, verdict in zip(left, verdicts, strict=True):
            found[each] = verdict
            if told is not None:
                told(each, verdict)
    except EngineError as error:
        return HarmFound(found, str(error))
    return HarmFound(found)


class ModerationEndpoint:
    """Any endpoint that speaks OpenAI's `POST /moderations`. The key is read from the environment when it is used."""

    def __init__(
        self,
        url: str = "https://api.openai.com/v1",
        model: str = "omni-moderation-latest",
        *,
        key_variable: str = "OPENAI_API_KEY",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`url` without `/moderations`. Raises `BadInput` for an address that would send the key in clear."""
        place = urllib.parse.urlsplit(url)
        if place.scheme != "https" and not (place.scheme == "http" and place.hostname in _LOOPBACK):
            raise BadInput("a moderation endpoint must be reached by https.", "Only an own machine may use http.")
        self.name = f"{model} at {place.hostname}"
        self._url = f"{url.rstrip('/')}/moderations"
        self._model = model
        self._key_variable = key_variable
        self._sleep = sleep
        # A redirect would carry the key to another place.
        self._opener = urllib.request.build_opener(_NoRedirect)

    def judge(self, answers: Sequence[str]) -> Iterator[Harm]:
        """Verdicts batch by batch."""
        for start in range(0, len(answers), BATCH):
            batch = list(answers[start : start + BATCH])
            yield from _verdicts(self._reply(batch), len(batch))

    def _reply(self, batch: list[str]) -> bytes:
        body = json.dumps({"model": self._model, "input": batch}).encode()
        headers = {"Content-Type": "application/json"}
        key = os.environ.get(self._key_variable, "")
        if key:
            headers["Authorization"] = f"Bearer {key}"
        reason = ""
        for attempt in range(_TRIES):
            if attempt:
                self._sleep(2.0**attempt)
            try:
                request = urllib.request.Request(self._url, data=body, headers=headers, method="POST")
                with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as reply:
                    return bytes(reply.read(_MAX_REPLY_BYTES))
            except urllib.error.HTTPError as error:
                # Never the body or the request: they hold the answers, and some servers send the key back.
                error.close()
                reason = f"it said {error.code}"
                if error.code not in _PASSING:
                    break
            except (OSError, HTTPException, ValueError) as error:
                reason = type(error).__name__
        key_words = f", and the key in {self._key_variable}" if self._key_variable else ""
        hint = f"Check the address{key_words}. What was judged is kept."
        raise EngineError(f"the moderation endpoint failed: {reason}.", hint)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """None: the redirect stays an error."""
        return None


def _verdicts(reply: bytes, wanted: int) -> list[Harm]:
    try:
        results = json.loads(reply)["results"]
        found = [
            Harm(bool(each["flagged"]), tuple(sorted(name for name, on in each.get("categories", {}).items() if on)))
            for each in results
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        found = []
    if len(found) != wanted:
        raise EngineError(
            "the moderation endpoint's reply cannot be read.", "Is it an endpoint in the manner of OpenAI's?"
        )
    return found
