"""Who won a tournament, whether luck could do this, and what it did not look at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from evaluation.noise import DecodingNoise, half_width
from evaluation.rows import JudgedRows
from evaluation.rungs import RungName
from evaluation.stats import Paired, compare, rows_needed
from evaluation.tournament_report import RungReport
from evaluation.widened import widened_pair

FEW_ROWS = 20
_TRUNCATED_SHARE_TOLD = 0.02


def winner(
    rungs: Sequence[RungReport],
    scores: Mapping[RungName, Sequence[float]],
    seed: int,
    noise: DecodingNoise | None = None,
) -> tuple[RungName, bool, str, dict[str, Paired]]:
    """The best rung, whether it beats each other one beyond noise, that in words, and the paired tests.

    Equal scores go to the shorter prompt. Noise of decoding widens each pair. "Better than all" is claimed only where
    each single test says so, which needs no correction for their number (Berger 1982, Technometrics 24).
    """
    order = sorted(rungs, key=lambda rung: (-rung.score.score, rung.prompt_tokens))
    best, others = order[0], order[1:]
    extra = math.sqrt(2) * half_width(noise)
    pairs = {
        f"{best.name}_vs_{other.name}": widened_pair(
            compare(best.name, scores[best.name], other.name, scores[other.name], seed), extra
        )
        for other in others
    }
    beats = bool(others) and all(pair.beats for pair in pairs.values())
    return best.name, beats, _sentence(best, others, list(pairs.values())), pairs


def limits(rungs: Sequence[RungReport], rows: JudgedRows, asked: int) -> list[str]:
    """What stands under the result."""
    found = []
    if asked < FEW_ROWS:
        rest = f"at least {FEW_ROWS} are needed to tell most prompts apart."
        found.append(f"There {'is' if asked == 1 else 'are'} only {asked} row{'s' * (asked != 1)}: {rest}")
    if rows.leaked:
        count = len(rows.leaked)
        found.append(f"{count} held-out row{'s' if count != 1 else ''} of the training rows' inputs were left out.")
    if rows.one_answer:
        found.append(rows.one_answer)
    for rung in rungs:
        if rung.truncated > _TRUNCATED_SHARE_TOLD * asked:
            found.append(f"{rung.words}: {rung.truncated} of {asked} answers were cut: raise `max_new_tokens`?")
    if len(rungs) > 1:
        found.append("The best of several on the same rows looks a little better than it will be on new ones.")
    found.append("Retrieval here takes examples from the training rows; a search in documents was not tried.")
    return found


def _sentence(best: RungReport, others: Sequence[RungReport], pairs: Sequence[Paired]) -> str:
    own = f"{best.score.score:.2f} ({best.score.low:.2f} to {best.score.high:.2f})"
    if not best.score.score:
        return f"No rung is right on any of the {best.score.n} rows: {best.words} {own}."
    if not others:
        return f"Only {best.words} was asked: {own}."
    beaten = [other for other, pair in zip(others, pairs, strict=True) if pair.beats]
    rivals = [(other, pair) for other, pair in zip(others, pairs, strict=True) if not pair.beats]
    if not rivals:
        rest = ", ".join(f"{other.words} {other.score.score:.2f}" for other in others)
        return f"{_capital(best.words)} is best: {own}; {rest}. Against {others[0].words} it is {pairs[0].sentence}."
    told = f"{_capital(best.words)} scores highest: {own}, but luck may be behind that. It cannot be told from "
    told += _listed([f"{other.words} ({other.score.score:.2f})" for other, _ in rivals])
    rival, pair = rivals[0]
    told += f". Against {rival.words} it is {pair.sentence}."
    if beaten:
        told += f" It beats {_listed([f'{other.words} ({other.score.score:.2f})' for other in beaten])}."
    would_do = rows_needed(pair.better, pair.worse, pair.n)
    if would_do:
        told += f" About {would_do:,} rows would tell."
    shorter = min(rivals, key=lambda item: item[0].prompt_tokens)[0]
    if shorter.prompt_tokens < best.prompt_tokens:
        told += f" {_capital(shorter.words)} has the shorter prompt."
    return told


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
