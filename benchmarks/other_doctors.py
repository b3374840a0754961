"""What others do with the same file: a checker in the manner of a cookbook, and datasketch. And the exact truth.

Written by us after what such scripts do, so that both read the same rows in the same run.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dataset.grams import grams, jaccard
from dataset.near import THRESHOLD
from dataset.normalise import normalise

Timed = dict[str, Any]
Pairs = list[tuple[int, int]]
"""Places of two texts among the distinct ones."""
HARD = 0.85
MAX_BRUTE_FORCE_ROWS = 10_000
_BLOCK_ROWS = 500


def cookbook(path: Path) -> Timed:
    """Format errors, turns and words a row, whole rows that repeat: pandas and loops, no near copies, no privacy."""
    import pandas

    start = time.perf_counter()
    with path.open(encoding="utf-8") as file:
        examples = [json.loads(line) for line in file]
    errors: dict[str, int] = defaultdict(int)
    words, turns = [], []
    for example in examples:
        messages = example.get("messages")
        if not messages:
            errors["no messages"] += 1
            continue
        for message in messages:
            if "role" not in message or "content" not in message:
                errors["missing key"] += 1
            if any(key not in ("role", "content", "name", "function_call", "weight") for key in message):
                errors["unknown key"] += 1
            if message.get("role") not in ("system", "user", "assistant", "function"):
                errors["unknown role"] += 1
            if not message.get("content") or not isinstance(message["content"], str):
                errors["no content"] += 1
        if not any(message.get("role") == "assistant" for message in messages):
            errors["no answer"] += 1
        words.append(sum(len(message["content"].split()) for message in messages))
        turns.append(len(messages))
    frame = pandas.DataFrame({"words": words, "turns": turns})
    frame["text"] = [example["messages"][0]["content"] for example in examples]
    counts = frame[["words", "turns"]].describe(percentiles=[0.05, 0.5, 0.95])
    repeated = int(frame["text"].duplicated().sum())
    assert len(counts) == 8
    return {"seconds": time.perf_counter() - start, "format errors": sum(errors.values()), "repeated": repeated}


def datasketch(path: Path, pairs: Pairs) -> Timed:
    """MinHashLSH at 0.8 with its defaults, of the same 5-grams; its recall over `pairs`."""
    from datasketch import MinHash, MinHashLSH

    texts = distinct_texts(path)
    start = time.perf_counter()
    index = MinHashLSH(threshold=THRESHOLD)
    sketches = []
    for place, text in enumerate(texts):
        sketch = MinHash()
        sketch.update_batch([gram.encode() for gram in grams(text)])
        sketches.append(sketch)
        index.insert(place, sketch)
    found = [set(index.query(sketch)) for sketch in sketches]
    seconds = time.perf_counter() - start
    return {"seconds": seconds, **recall(pairs, texts, lambda one, other: other in found[one])}


def recall(pairs: Pairs, texts: list[str], found: Callable[[int, int], bool]) -> Timed:
    """Share of the true pairs that are found: of all, and of those at less than 0.85."""
    hardly = [(one, other) for one, other in pairs if jaccard(grams(texts[one]), grams(texts[other])) < HARD]
    shares = [sum(found(*pair) for pair in some) / max(1, len(some)) for some in (pairs, hardly)]
    return {"recall": shares[0], "pairs": len(pairs), "hard recall": shares[1], "hard pairs": len(hardly)}


def distinct_texts(path: Path) -> list[str]:
    """The distinct normalised inputs of a file of chats, in order."""
    with path.open(encoding="utf-8") as file:
        return list(dict.fromkeys(normalise(json.loads(line)["messages"][0]["content"]) for line in file))


def planted_pairs(path: Path, lines: Pairs) -> Pairs:
    """Those of the planted pairs that truly are at 0.8 or more, as places among the distinct texts."""
    with path.open(encoding="utf-8") as file:
        texts = [normalise(json.loads(line)["messages"][0]["content"]) for line in file]
    place = {text: index for index, text in enumerate(dict.fromkeys(texts))}
    found = set()
    for before, after in lines:
        if after <= len(texts):
            one, other = texts[before - 1], texts[after - 1]
            if one != other and jaccard(grams(one), grams(other)) >= THRESHOLD:
                found.add((min(place[one], place[other]), max(place[one], place[other])))
    return sorted(found)


def all_pairs(path: Path) -> Pairs:
    """Every pair at 0.8 or more, by comparing each text with each: as a product of sparse matrices."""
    import numpy as np
    from scipy.sparse import csr_matrix

    texts = distinct_texts(path)
    columns: dict[str, int] = {}
    indices, ends = [], [0]
    for text in texts:
        indices.extend(columns.setdefault(gram, len(columns)) for gram in grams(text))
        ends.append(len(indices))
    table = csr_matrix((np.ones(len(indices), dtype=np.int32), indices, ends), shape=(len(texts), len(columns)))
    sizes, turned, found = np.diff(ends), table.T.tocsr(), []
    for start in range(0, len(texts), _BLOCK_ROWS):
        both = (table[start : start + _BLOCK_ROWS] @ turned).tocoo()
        alike = both.data / (sizes[both.row + start] + sizes[both.col] - both.data) >= THRESHOLD
        for one, other in zip((both.row[alike] + start).tolist(), both.col[alike].tolist(), strict=True):
            if one < other:
                found.append((one, other))
    return sorted(found)
