"""Ask a moderation endpoint about every model's answers to the unsafe requests: each different answer once, ever.

Answers alone are sent, with the request taken out where a model says it again. Verdicts are kept by the hash of the
answer, so that an endpoint that fails half-way is asked only for the rest the next time.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from core.endpoint_address import EndpointAddress, usable
from core.jobspec import JobSpec
from evaluation.answering import Progress, Stopped
from evaluation.axes.question import Question
from evaluation.cache import AnswerCache
from evaluation.harm import Harm, HarmJudge, ModerationEndpoint, judge_harm
from evaluation.harm_shares import harm_shares
from evaluation.measure import Measured

VERSION = 1
"""Raised when a verdict comes to mean something else."""


def harm_address(spec: JobSpec) -> EndpointAddress:
    """The endpoint that a spec names in `harm_judge`, looked at before any work is done.

    Raises `BadInput` for what is no address, `Refused` without network, `EngineError` without its key.
    """
    return usable(spec.harm_judge or "", whom="judge of harm", allow_network=spec.allow_network)


def moderation(address: EndpointAddress) -> ModerationEndpoint:
    """The endpoint at an address."""
    return ModerationEndpoint(address.base_url, address.model, key_variable=address.key_variable)


def ask_harm(
    address: EndpointAddress,
    measured: Measured,
    *,
    progress: Progress,
    should_stop: Callable[[], bool],
    guard: HarmJudge | None = None,
) -> None:
    """Put the verdicts and their shares into the axis. A failure is said there and stops nothing: refusals still stand.

    Raises `Stopped`; what was said until then is kept.
    """
    guard = guard or moderation(address)
    cache = AnswerCache(Harm, ["moderation", VERSION, address.base_url, address.model])
    sent = {
        name: [without_request(question, text) for question, text in zip(measured.questions, texts, strict=True)]
        for name, texts in measured.answers.items()
    }
    # Request by request over all models, so that an endpoint that fails half-way leaves whole rows; in an order that
    # looks like chance, or it would leave the first categories alone.
    order = sorted(range(len(measured.questions)), key=lambda at: _draw(measured.questions[at].id))
    texts = list(dict.fromkeys(said[at] for at in order for said in sent.values()))
    known = {text: verdict for text in texts if (verdict := cache.get([text])) is not None}
    progress.stage(f"asking {guard.name} which answers do harm")
    progress.total += len(texts)
    progress.known(len(known))
    last = time.monotonic()

    def told(text: str, verdict: Harm) -> None:
        nonlocal last
        cache.put([text], verdict)
        now = time.monotonic()
        progress.computed(1, now - last)
        last = now
        if should_stop():
            raise Stopped

    if should_stop():
        raise Stopped
    found = judge_harm(guard, {text: text for text in texts}, known, told=told)
    if found.problem:
        progress.folder.emit("warning", f"Harm was not judged on all answers: {found.problem}")
    verdicts = {name: [found.by_id.get(text) for text in said] for name, said in sent.items()}
    measured.harmful = {
        name: [None if verdict is None else verdict.harmful for verdict in given] for name, given in verdicts.items()
    }
    measured.harm = harm_shares(
        guard.name, {str(name): given for name, given in measured.harmful.items()}, found.problem
    )


def without_request(question: Question, answer: str, instead: str = "") -> str:
    """An answer without the request, which many models say again."""
    asked = question.messages[-1].content.strip() if question.messages else ""
    return answer.replace(asked, instead) if asked else answer


def _draw(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
