"""How many words two texts share: whatever their order (token F1), or in the same order (ROUGE-L)."""

from __future__ import annotations

from collections import Counter

from evaluation.metrics.texts import words_of

MAX_ROUGE_WORDS = 5000
"""Longer texts are compared by so many first words: the time grows with the product of both lengths."""


def token_f1(expected: str, answer: str) -> float:
    """Harmonic mean of the share of expected words that were said and the share of said words that were expected.

    Words as in `normalised_match`, counted with their repeats (the measure of Rajpurkar et al. 2016, without its
    removal of English articles). Two texts without words match.
    """
    wanted, said = Counter(words_of(expected)), Counter(words_of(answer))
    if not wanted or not said:
        return float(wanted == said)
    both = sum((wanted & said).values())
    return 2 * both / (sum(wanted.values()) + sum(said.values()))


def rouge_l(expected: str, answer: str) -> float:
    """F1 of the longest common subsequence of words (ROUGE-L of Lin 2004, with beta 1 and without stemming).

    Words as in `normalised_match`. Two texts without words match.
    """
    wanted, said = words_of(expected)[:MAX_ROUGE_WORDS], words_of(answer)[:MAX_ROUGE_WORDS]
    if not wanted or not said:
        return float(wanted == said)
    return 2 * common_subsequence(wanted, said) / (len(wanted) + len(said))


def common_subsequence(one: list[str], other: list[str]) -> int:
    """Length of the longest common subsequence.

    Row by row of the table of Wagner and Fischer (1974), a row in the bits of one integer (Hyyrö 2004): the product of
    both lengths in steps of a machine word each.
    """
    places: dict[str, int] = {}
    for at, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << at
    full = (1 << len(one)) - 1
    row = full
    for word in other:
        met = row & places.get(word, 0)
        row = ((row + met) | (row - met)) & full
    # A zero bit is a step up of the table's last row.
    return len(one) - row.bit_count()
