"""Tagged words, one a line with blank lines between sentences (CoNLL and its kin): known by sight, refused politely."""

from __future__ import annotations

import re
from itertools import islice

from core.errors import BadInput
from dataset.opening import OpenedFile

_SAMPLE_LINES = 200
_FEWEST_WORDS = 3
_TAG = re.compile(r"(?:O|[BIESLU]-[\w:.+-]{1,40})$")
_SPAN_TAG = re.compile(r"[BIESLU]-")
_TREEBANK_CELLS = 10


def refuse_token_tags(opened: OpenedFile) -> None:
    """Raise `BadInput` for a file of tagged words: a word alone is no example of anything that is tuned here."""
    lines = [line.strip() for _, line in islice(opened.lines(), _SAMPLE_LINES) if line and len(line) < 1000]
    words = [line.split() for line in lines if line and not line.startswith(("#", "-DOCSTART-"))]
    if len(words) < _FEWEST_WORDS:
        return
    tagged = sum(len(cells) > 1 and _TAG.match(cells[-1]) is not None for cells in words)
    spans = any(len(cells) > 1 and _SPAN_TAG.match(cells[-1]) for cells in words)
    treebank = sum(len(line.split("\t")) == _TREEBANK_CELLS and line[0].isdigit() for line in lines if line)
    if (spans and tagged >= 0.8 * len(words)) or treebank >= 0.8 * len(words):
        raise BadInput(
            "holds tagged words, one a line (CoNLL), which are no examples to tune on.",
            "Make one row of each sentence: its words as `text`, what was tagged as `output`, for instance "
            '{"place": ["Oslo"]}.',
            file=opened.name,
        )
