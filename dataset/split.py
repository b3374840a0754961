"""Training, validation and test rows that do not leak into each other.

Rows with equal or nearly equal user turns, and rows of one group (customer, document), stay on one side; labels are
spread evenly where the answers are labels. The same seed gives the same split.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.errors import BadInput
from dataset.checks.labels import labels_of
from dataset.normalise import keys_of
from dataset.row import Row
from dataset.unlike import likeness


@dataclass(frozen=True, slots=True)
class Split:
    """The three parts, each in the order of the original."""

    train: tuple[Row, ...]
    validation: tuple[Row, ...]
    test: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    """What could not be kept, in words."""
    shifted: tuple[Row, ...] = ()
    """Rows least like the others, where they were asked for: does the tune hold on what is unlike its training?"""


def split(
    rows: Sequence[Row],
    *,
    seed: int,
    validation_share: float,
    test_share: float,
    group: str | None = None,
    shifted: int = 0,
) -> Split:
    """Split `rows` into three parts. A part with a share above 0 is never empty when there are 3 rows or more.

    `group` is a column (a key of `Row.extra`) whose values stay together. `shifted` rows, those least like the others,
    are set aside first (`shifted_slice`); the shares are those of the rest. Raises `BadInput` for shares that leave
    nothing to train on, for fewer than 3 rows, and for a group column that is not there.
    """
    if validation_share < 0 or test_share < 0 or validation_share + test_share >= 1:
        raise BadInput(
            f"shares of {validation_share:g} and {test_share:g} leave nothing to train on.", "Give less than 1 in all."
        )
    wanted = [share for share in (validation_share, test_share) if share > 0]
    if shifted:
        aside, rest = shifted_slice(rows, shifted, seed=seed, group=group)
        parts = split(rest, seed=seed, validation_share=validation_share, test_share=test_share, group=group)
        short = (f"Only {len(aside)} rows could be set aside: copies and groups stay together.",)
        return replace(parts, shifted=aside, notes=parts.notes + (short if len(aside) < shifted else ()))
    if len(rows) < 1 + len(wanted):
        raise BadInput(f"{len(rows)} rows cannot be split into {1 + len(wanted)} parts.", "Add rows.")
    clusters = clusters_of(rows, group)
    notes = []
    if len(clusters) < 1 + len(wanted):
        notes.append("Nearly all rows are copies of each other, so copies stand on both sides of the split.")
        clusters = [[place] for place in range(len(rows))]
    side = _assign(rows, clusters, seed, (validation_share, test_share))
    train, validation, test = (
        tuple(row for row, where in zip(rows, side, strict=True) if where == part) for part in range(3)
    )
    return Split(train, validation, test, tuple(notes))


def shifted_slice(
    rows: Sequence[Row], count: int, *, seed: int, group: str | None = None
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """(at most `count` rows that are least like the others, the rest), each in the order of the original.

    Near copies and groups stay together; each label gives its share, and keeps one cluster at the least. How alike
    rows are is told by `dataset.unlike`. Raises `BadInput` where more than a third of the rows is asked for.
    """
    if not 1 <= count <= len(rows) // 3:
        raise BadInput(f"{count} of {len(rows)} rows cannot be set aside.", "Set aside a third at the most.")
    clusters = clusters_of(rows, group)
    alike = likeness(rows, clusters, seed=seed)
    aside: set[int] = set()
    owed = 0.0  # rows that rounding left over, carried on to the next label
    for _, held in sorted(by_label(rows, clusters).items()):
        owed += count * sum(len(clusters[at]) for at in held) / len(rows)
        left = len(held)
        for at in sorted(held, key=lambda at: (alike[at], at)):
            if left > 1 and len(clusters[at]) <= min(owed + 1e-9, count - len(aside)):
                owed -= len(clusters[at])
                aside.update(clusters[at])
                left -= 1
    if not aside:
        raise BadInput(f"no {count} rows can be set aside: copies and groups stay together.", "Ask for more rows.")
    return (
        tuple(row for place, row in enumerate(rows) if place in aside),
        tuple(row for place, row in enumerate(rows) if place not in aside),
    )


def clusters_of(rows: Sequence[Row], group: str | None = None) -> list[list[int]]:
    """Places of rows that must stay together: near copies, and rows of one group.

    Raises `BadInput` for a group column that is not there.
    """
    from dataset.near import near_duplicates

    if group is not None and not any(group in row.extra for row in rows):
        known = ", ".join(dict.fromkeys(name for row in rows[:100] for name in row.extra)) or "none"
        raise BadInput(f"has no column `{group[:80]}` to group by.", f"Left to choose from: {known}.")
    keys = keys_of(rows)
    names = [key or f"\x00empty {place}" for place, key in enumerate(keys.users)]
    distinct = list(dict.fromkeys(names))
    near = near_duplicates(distinct)
    cluster_of = dict(zip(distinct, near.cluster, strict=True))
    parent = list(range(len(distinct)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    first_of_group: dict[str, int] = {}
    if group is not None:
        for row, name in zip(rows, names, strict=True):
            if group in row.extra:
                here = root(cluster_of[name])
                there = root(first_of_group.setdefault(str(row.extra[group]), here))
                parent[max(here, there)] = min(here, there)
    members: dict[int, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        members[root(cluster_of[name])].append(place)
    return list(members.values())


def by_label(rows: Sequence[Row], clusters: Sequence[Sequence[int]]) -> dict[str, list[int]]:
    """Places in `clusters` by the label that most of a cluster's rows have; all under "" where answers are texts."""
    labels = labels_of(rows)
    found: dict[str, list[int]] = defaultdict(list)
    for at, cluster in enumerate(clusters):
        label = Counter(rows[place].answer for place in cluster).most_common(1)[0][0] if labels else ""
        found[label].append(at)
    return found


def _assign(rows: Sequence[Row], clusters: list[list[int]], seed: int, shares: tuple[float, float]) -> list[int]:
    """0 train, 1 validation, 2 test for each row."""
    strata = {label: [clusters[at] for at in held] for label, held in by_label(rows, clusters).items()}
    chooser = random.Random(seed)
    held_out: list[list[list[int]]] = [[], []]
    trained: list[list[list[int]]] = []
    owed = [0.0, 0.0]  # rows that rounding left over, carried on to the next label
    for label in sorted(strata):
        left = strata[label]
        chooser.shuffle(left)
        size = sum(map(len, left))
        for part in (1, 0):
            owed[part] += shares[part] * size
            kept: list[list[int]] = []
            for place, cluster in enumerate(left):
                one_is_left = len(kept) + len(left) - place > 1  # every label is trained on
                if one_is_left and len(cluster) <= owed[part] + 0.5:
                    owed[part] -= len(cluster)
                    held_out[part].append(cluster)
                else:
                    kept.append(cluster)
            left = kept
        trained.append(left)
    for part in (1, 0):
        if shares[part] > 0 and not held_out[part]:
            held_out[part].append(_spare(trained, held_out[1 - part]))
    side = [0] * len(rows)
    for part in (0, 1):
        for cluster in held_out[part]:
            for place in cluster:
                side[place] = part + 1
    return side


def _spare(trained: list[list[list[int]]], other_part: list[list[int]]) -> list[int]:
    """Take the smallest cluster from the label with most clusters, or from the other part where training has one."""
    richest = max(trained, key=len)
    source = other_part if sum(map(len, trained)) == 1 and len(other_part) > 1 else richest
    smallest = min(source, key=len)
    source.remove(smallest)
    return smallest
