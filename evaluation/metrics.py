"""How right an answer is: from 0 to 1, row by row."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from dataset.normalise import normalise

Metric = Literal["exact_match", "json_match", "token_f1"]
METRICS: dict[Metric, str] = {
    "exact_match": "exact match",
    "json_match": "exact match (the same JSON object)",
    "token_f1": "token F1",
}
MAX_LABEL_CHARACTERS = 60
"""An answer up to this long, without a line break, is short enough to be right or wrong as a whole."""
_UNSPACED = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
"""Scripts that put no spaces between words (Thai, Chinese, Japanese) are counted by the character."""
_SHARE = 0.9
"""Share of the expected answers that must have a form before it counts as the task's form."""


def choose_metric(asked: str, expected: Sequence[str]) -> Metric:
    """What counts as right: as asked, or for `auto` as the answers are.

    Structured answers: the same object. Short ones (labels, numbers, names): exact match. Else token F1.
    """
    structured = bool(expected) and sum(is_structure(text) for text in expected) >= _SHARE * len(expected)
    if asked == "token_f1":
        return "token_f1"
    if structured:
        return "json_match"
    short = sum(len(text.strip()) <= MAX_LABEL_CHARACTERS and "\n" not in text.strip() for text in expected)
    if asked == "exact_match" or (expected and short >= _SHARE * len(expected)):
        return "exact_match"
    return "token_f1"


def score(metric: Metric, expected: str, answer: str) -> float:
    """The score of one answer."""
    if metric == "exact_match":
        return exact_match(expected, answer)
    if metric == "json_match":
        return json_match(expected, answer)
    return token_f1(expected, answer)


def exact_match(expected: str, answer: str) -> float:
    """1 when the texts are equal but for white space around them."""
    return float(expected.strip() == answer.strip())


def normalised_match(expected: str, answer: str) -> float:
    """1 when the texts are equal after NFKC, case folding, and punctuation and spaces collapsed."""
    return float(_words(expected) == _words(answer))


def token_f1(expected: str, answer: str) -> float:
    """Harmonic mean of the share of expected words that were said and the share of said words that were expected.

    Words as in `normalised_match`, counted with their repeats (the measure of Rajpurkar et al. 2016, without its
    removal of English articles). Two texts without words match.
    """
    wanted, said = Counter(_words(expected)), Counter(_words(answer))
    if not wanted or not said:
        return float(wanted == said)
    both = sum((wanted & said).values())
    return 2 * both / (sum(wanted.values()) + sum(said.values()))


def is_structure(text: str) -> bool:
    """True for a JSON object or array."""
    return isinstance(read_json(text), dict | list)


def json_valid(answer: str) -> float:
    """1 when the answer as a whole is a JSON object or array, with nothing around it."""
    return float(is_structure(answer))


def json_match(expected: str, answer: str) -> float:
    """1 when the answer holds the same JSON value: order of keys and white space do not count.

    Lenient in one thing: prose or a code fence around the first object is forgiven, since a team would strip it.
    This favours the prompted base, never the tuned model. How often the whole answer was valid is told apart.
    """
    wanted = read_json(expected)
    return float(wanted is not _NOTHING and same_json(wanted, find_json(answer)))


def field_matches(expected: str, answer: str) -> dict[str, float]:
    """For an expected JSON object: which of its fields are right in the answer."""
    wanted, said = read_json(expected), find_json(answer)
    if not isinstance(wanted, dict):
        return {}
    given = said if isinstance(said, dict) else {}
    return {name: float(name in given and same_json(value, given[name])) for name, value in wanted.items()}


class _Nothing:
    """Stands for text that holds no JSON, since null is a value."""


_NOTHING = _Nothing()


def read_json(text: str) -> Any:
    """The JSON value that the whole text is, or a mark for none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NOTHING


def find_json(text: str) -> Any:
    """The whole text as JSON, or else the first object or array in it, or a mark for none."""
    whole = read_json(text)
    if whole is not _NOTHING:
        return whole
    decoder = json.JSONDecoder()
    # A model that repeats `[` for ever must not cost quadratic time.
    for found in list(re.finditer(r"[{\[]", text))[:50]:
        try:
            return decoder.raw_decode(text, found.start())[0]
        except (ValueError, RecursionError):
            continue
    return _NOTHING


def same_json(one: Any, other: Any) -> bool:
    """Equal values of equal types: `true` is not 1, and 1.0 is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same_json(a, b) for a, b in zip(one, other, strict=True))
    return type(one) in (int, float, str, type(None)) and bool(one == other)


def _words(text: str) -> list[str]:
    return _WORD.findall(normalise(text))
