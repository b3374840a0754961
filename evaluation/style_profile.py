"""What a voice is counted by: runs of characters, frequent words, punctuation, and the length of sentences."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from evaluation.metrics import words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Part = Literal["characters", "words", "punctuation", "sentences"]
PARTS: tuple[Part, ...] = get_args(Part)
RUN_CHARACTERS = 3
MOST_RUNS = 300
MOST_WORDS = 100
"""The house's most frequent words: function words nearly all, in any language (Burrows 2002)."""
MAX_CHARACTERS = 5000
"""Of an answer: a model that never stops must not drown the others."""
SENTENCE_WORDS = (3, 6, 10, 15, 20, 30, 40)
"""Upper ends of the classes of sentence length; one more class lies above."""
_ENDS = re.compile(r"[.!?\u2026\u3002\uff01\uff1f]+(?=\s|$)|[\u3002\uff01\uff1f]|\n+")


@dataclass(frozen=True)
class Profiles:
    """Counts of each answer by part: arrays (answers, features). The last feature of most parts is all the rest."""

    counts: dict[Part, NDArray[np.float64]]
    n: int


def profiles(house: Sequence[str], answers: Sequence[str]) -> Profiles:
    """The profiles of `answers`. Which runs and words are counted follows from the house's answers alone."""
    import numpy as np

    counters: dict[Part, list[Counter[str]]] = {part: [] for part in PARTS}
    for text in answers:
        for part, counter in _counters(text).items():
            counters[part].append(counter)
    features: dict[Part, list[str]] = {"sentences": [str(at) for at in range(len(SENTENCE_WORDS) + 1)]}
    known = [_counters(text) for text in house]
    limits: dict[Part, int] = {"characters": MOST_RUNS, "words": MOST_WORDS, "punctuation": MOST_WORDS}
    for part, limit in limits.items():
        total: Counter[str] = Counter()
        for each in known:
            total.update(each[part])
        # Ties by name, so that the order of the answers makes no difference.
        features[part] = sorted(total, key=lambda feature: (-total[feature], feature))[:limit]
    return Profiles(
        {
            part: np.array([_vector(counter, features[part]) for counter in counters[part]], dtype=np.float64)
            for part in PARTS
        },
        len(answers),
    )


def _vector(counter: Counter[str], features: Sequence[str]) -> list[int]:
    kept = [counter[feature] for feature in features]
    return [*kept, counter.total() - sum(kept)]


def _counters(text: str) -> dict[Part, Counter[str]]:
    text = unicodedata.normalize("NFC", text[:MAX_CHARACTERS]).strip()
    line = " ".join(text.split())
    runs = Counter(line[at : at + RUN_CHARACTERS] for at in range(max(1, len(line) - RUN_CHARACTERS + 1)))
    marks = Counter(sign for sign in text if unicodedata.category(sign)[0] in "PS" or sign == "\n")
    # Signs are read against the rest of the text: a voice that uses more of them is another voice.
    marks["letter"] = len(text) - marks.total()
    sentences = Counter(str(_length_class(len(words_of(part)))) for part in _ENDS.split(text) if part.strip())
    return {"characters": runs, "words": Counter(words_of(text)), "punctuation": marks, "sentences": sentences}


def _length_class(words: int) -> int:
    return sum(words > most for most in SENTENCE_WORDS)
