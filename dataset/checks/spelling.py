"""One class under two names: `Refund` and `refund`, `delivery` and a mistyped `delivry`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from dataset.finding import Finding, finding, plural
from dataset.normalise import normalise
from dataset.row import Row

FAR_RARER = 20
"""A label one letter away from another is taken for a slip where the other has this many times its rows."""
MIN_LETTERS = 6
"""Shorter names lie one letter apart by nature: `high` and `nigh`, `Iran` and `Iraq`."""
_SIGNS_THAT_MEAN = frozenset("+#*<>=%$€£&@^~|\\/!?")
_SHOWN = 5


def check_spelling(rows: Sequence[Row], labels: Mapping[str, int]) -> Iterator[Finding]:
    """label_spelling; `count` is the number of spellings too many, `rows` those of the rarer ones."""
    same = dict(same_but_for_form(labels))
    slips = {rare: common for rare, common in one_letter_off(labels).items() if rare not in same}
    if not same and not slips:
        return
    said = []
    if same:
        said.append(f"{plural(len(same), 'label differs', 'labels differ')} from another only in case, blanks or "
                    f"punctuation: {_pairs(same, labels)}")  # fmt: skip
    if slips:
        said.append(f"{plural(len(slips), 'rare label is', 'rare labels are')} one letter away from a common one: "
                    f"{_pairs(slips, labels)}")  # fmt: skip
    yield finding(
        "label_spelling",
        "warning" if same else "note",
        (row.line for row in rows if row.answer in same or row.answer in slips),
        f"{'; '.join(said)}.",
        "Write each class in one way; a model that learns both is marked wrong for either.",
        count=len(same) + len(slips),
    )


def same_but_for_form(labels: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """(rarer spelling, most frequent spelling) where both normalise alike. Numbers, `C++`/`C#`, `A`/`A-` stay apart."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for label in labels:
        key = form_key(label)
        if key is not None:
            groups[key].append(label)
    for group in groups.values():
        first = max(group, key=lambda label: (labels[label], label))
        yield from ((label, first) for label in group if label != first)


def form_key(label: str) -> tuple[str, str] | None:
    """What two spellings of one class share; None for a label whose signs may be all there is to it."""
    plain = normalise(label)
    if sum(char.isalpha() for char in plain) < 2:
        return None
    return plain, "".join(sorted(char for char in label if char in _SIGNS_THAT_MEAN))


def one_letter_off(labels: Mapping[str, int]) -> dict[str, str]:
    """{rare label: common one} at one letter added, dropped, changed, or two swapped."""
    forms: dict[str, str] = {}
    for label in sorted(labels, key=lambda name: (labels[name], name)):
        forms[normalise(label)] = label  # of several spellings the most frequent stays
    by_piece: dict[str, list[str]] = defaultdict(list)
    for form in forms:
        for piece in _pieces(form):
            by_piece[piece].append(form)
    found: dict[str, str] = {}
    for form, rare in forms.items():
        if sum(char.isalpha() for char in form) < MIN_LETTERS:
            continue
        near = {other for piece in _pieces(form) for other in by_piece[piece]} - {form}
        common = [other for other in near if labels[forms[other]] >= FAR_RARER * labels[rare] and _slip(form, other)]
        if common:
            found[rare] = forms[max(common, key=lambda other: (labels[forms[other]], other))]
    return found


def _pieces(form: str) -> set[str]:
    """The form, and the form with each letter left out: two forms one slip apart share one of these."""
    return {form, *(form[:place] + form[place + 1 :] for place in range(len(form)))}


def _slip(one: str, other: str) -> bool:
    """One letter apart, by letters alone: digits number things, and a first `a` turns a word round (`typical`)."""
    if one == f"a{other}" or other == f"a{one}":
        return False
    start = next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    one, other = one[start:], other[start:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    if not (one + other).isalpha():
        return False
    swapped = len(one) == len(other) == 2 and one == other[::-1]
    return swapped or (len(one) <= 1 and len(other) <= 1)


def _pairs(pairs: Mapping[str, str], labels: Mapping[str, int]) -> str:
    shown = [f"`{rare[:40]}` ({labels[rare]:,}) and `{common[:40]}` ({labels[common]:,})"
             for rare, common in list(pairs.items())[:_SHOWN]]  # fmt: skip
    return ", ".join(shown) + (" ..." if len(pairs) > _SHOWN else "")


def spelled(labels: Iterable[str]) -> dict[tuple[str, str], str]:
    """{form: one spelling of it}."""
    return {key: label for label in labels if (key := form_key(label)) is not None}
