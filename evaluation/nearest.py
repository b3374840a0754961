"""The training rows that are most like a held-out row: where a wrong answer may have been learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.errors import NotFound, Refused
from core.jobspec import JobSpec
from dataset.job_rows import read_for_job
from dataset.row import Row

NEAREST = 3
MOST_ROWS = 50
"""Held-out rows that are looked up."""
MOST_TRAINING_ROWS = 50_000
LEAST_ALIKE = 0.05
"""Below it two texts share next to nothing, and "nearest" would say too much."""


@dataclass(frozen=True)
class Nearest:
    """A training row, and how alike its input is: the cosine of TF-IDF of words and letters, 0 to 1."""

    line: int
    alike: float
    input: str
    answer: str


def nearest_of_job(spec: JobSpec, inputs: Sequence[str]) -> dict[str, list[Nearest]]:
    """{input: the training rows of a job most like it, the most alike first} for the first 50 inputs; cached.

    Of a longer file the first 50,000 rows are looked through. Raises `NotFound` where the spec names no training rows
    or they are gone, `Refused` where they have changed since, `BadInput` where they cannot be read.
    """
    if not spec.dataset:
        raise NotFound("this judgement names no training rows.", "Set `dataset` and judge again.")
    place = Path(spec.dataset)
    changed = place.stat().st_mtime_ns if place.is_file() else 0
    wanted = tuple(dict.fromkeys(inputs))[:MOST_ROWS]
    return dict(zip(wanted, _nearest_of_file(spec.model_dump_json(), changed, wanted), strict=True))


def nearest(rows: Sequence[Row], inputs: Sequence[str]) -> list[list[Nearest]]:
    """For each input the rows most like it, three at most; rows without an answer teach nothing and are left out."""
    known = [row for row in rows if row.answer.strip()]
    texts = [row.user_text for row in known]
    if not inputs or not any(text.strip() for text in texts):
        return [[] for _ in inputs]
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    features = make_union(
        TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b|\S", dtype=np.float32),
        TfidfVectorizer(
            analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True, max_features=50_000, dtype=np.float32
        ),
    )
    fitted = features.fit_transform(texts)
    # Two normed halves: a half of their product is a cosine again.
    alike = (features.transform(inputs) @ fitted.T).toarray() / 2
    found = []
    for scores in alike:
        best = np.argsort(-scores, kind="stable")[:NEAREST].tolist()
        found.append(
            [
                Nearest(known[at].line, float(scores[at]), texts[at], known[at].answer)
                for at in best
                if scores[at] >= LEAST_ALIKE
            ]
        )
    return found


@lru_cache(maxsize=8)
def _nearest_of_file(spec_json: str, _changed: int, inputs: tuple[str, ...]) -> list[list[Nearest]]:
    spec = JobSpec.model_validate_json(spec_json)
    data = read_for_job(spec, str(spec.dataset))
    if spec.dataset_sha256 and data.sha256 != spec.dataset_sha256:
        raise Refused("the training rows have changed since.", "Put the file back to see which rows were nearest.")
    return nearest(data.rows[:MOST_TRAINING_ROWS], inputs)
