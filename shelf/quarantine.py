"""Quarantine: what nobody has judged fit to ship leaves only with a name and a reason under it.

Exports ask here, and so must whatever serves an adapter to others. A chat on this machine is a trial, and stays open.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.errors import NotFound, Refused
from core.release import LEAST_REASON_CHARACTERS, Release
from core.store import Store
from shelf.judgements import Judgement

if TYPE_CHECKING:
    from shelf.adapters import Adapter

SHIP = "ship"


def why(judgement: Judgement | None, weights_sha256: str | None, settings_sha256: str | None = None) -> str:
    """Why these weights are in quarantine, in one sentence; empty for those that are not."""
    if weights_sha256 is None:
        return "Its weights cannot be read."
    if judgement is None:
        return "Nobody has judged it."
    if judgement.adapter_sha256 is None:
        return "Its verdict does not say which weights were judged."
    if judgement.adapter_sha256 != weights_sha256:
        return "It was trained on after its verdict, so these weights are not judged."
    if not judgement.of_settings(settings_sha256):
        return "Its settings have changed since its verdict, so it is not judged as it is."
    return "" if judgement.verdict == SHIP else f"Its newest verdict is: {judgement.verdict_words}."


def release_in_force(
    releases: Iterable[Release], weights_sha256: str | None, judgement: Judgement | None
) -> Release | None:
    """The first of `releases` that was given for these weights at the verdict that they have now.

    Whoever released what nobody had judged did not release what was then found unfit.
    """
    verdict = judgement.verdict if judgement is not None else None
    return next(
        (each for each in releases if each.weights_sha256 == weights_sha256 and each.verdict == verdict),
        None,
    )


def refuse_quarantined(adapter: Adapter) -> None:
    """Nothing for an adapter that may leave this machine. Raises `Refused` for any other."""
    if not adapter.may_leave:
        raise Refused(
            f"`{adapter.name}` is in quarantine. {adapter.quarantine}",
            f"Judge it, or release it with your name and a reason of {LEAST_REASON_CHARACTERS} characters or more.",
        )


def release(store: Store, job_id: str, *, name: str, reason: str) -> Release:
    """Let an adapter out of quarantine: `name` answers for it, `reason` says why.

    Raises `NotFound`; `Refused` where it is not in quarantine; `ProblemsFound` for words that say too little.
    """
    from shelf.adapters import adapter as find
    from shelf.card import write_card

    found = find(store, job_id)
    if found.weights_sha256 is None:
        raise NotFound("its weights cannot be read.", "Train it again, or put the files back.")
    if not found.quarantined:
        raise Refused(f"`{found.name}` is not in quarantine.", "Export it as it is.")
    made = store.release(
        job_id,
        weights_sha256=found.weights_sha256,
        name=name,
        reason=reason,
        verdict=found.verdict,
        judged_by=found.judged_by,
    )
    write_card(store, find(store, job_id))
    return made
