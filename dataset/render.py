"""From rows to token ids and the loss mask. The trainer, the checks and the mask preview all take them from here.

Needs `tokenizers` and jinja2 only. What is learned: the text of every assistant turn and the end token behind it; all
else is masked. In a conversation of several turns each assistant turn is an example of its own, so all are learned
(a turn of weight 0 is not). A row that is too long keeps its beginning, as the model will see it in use, and loses its
end; if the answer lies there the row has no trainable token, and is counted rather than dropped silently.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import BadInput, NotFound
from dataset.row import Message, Row
from dataset.template import PROMPT_DATE, ChatTemplate, read_template, special_tokens

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MASKED = -100
"""Label of a token that is not learned: the one that cross entropy ignores."""
_BATCH_ROWS = 256


@dataclass(frozen=True, slots=True)
class Encoded:
    """One row for the trainer."""

    input_ids: list[int]
    labels: list[int]
    """As input_ids where learned, else -100."""
    truncated: bool
    trainable: int
    """Tokens with a label."""
    tokens: int
    """Length before truncation."""


class Renderer:
    """The tokenizer and the chat template of one base model."""

    def __init__(self, tokenizer: Tokenizer, template: ChatTemplate, special: dict[str, str], name: str) -> None:
        self.name = name
        """Whose tokenizer it is, for reports."""
        self.template = template
        self._tokenizer = tokenizer
        self._special = special
        added = tokenizer.get_added_tokens_decoder().values()
        self.special_tokens = frozenset(token.content for token in added if token.special and token.content.strip())
        """Texts that the tokenizer turns into control tokens wherever they stand."""

    @classmethod
    def from_folder(cls, folder: Path, *, name: str | None = None, now: datetime = PROMPT_DATE) -> Renderer:
        """The renderer of a base model's folder (tokenizer.json, tokenizer_config.json, chat_template.jinja).

        `now` is what templates that print the date get: a fixed one, not the clock's. Raises `NotFound` or `BadInput`.
        """
        from tokenizers import Tokenizer

        folder = Path(folder)
        if not (folder / "tokenizer.json").is_file():
            raise NotFound(f"no tokenizer.json in {folder}.", "Prepare the base model first.")
        try:
            config_file = folder / "tokenizer_config.json"
            config = json.loads(config_file.read_text(encoding="utf-8")) if config_file.is_file() else {}
            special = special_tokens(config)
            template = ChatTemplate(read_template(folder, config), special, now=now)
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except BadInput:
            raise
        except Exception as error:  # the tokenizers library raises bare Exception
            raise BadInput(
                f"has a tokenizer that cannot be read ({str(error)[:100]}).", "Prepare it again.", file=str(folder)
            ) from error
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return cls(tokenizer, template, special, name or folder.name)

    @property
    def eos_token_id(self) -> int | None:
        """Id of the token that ends an answer."""
        return self._id("eos_token")

    @property
    def pad_token_id(self) -> int:
        """Id to pad with: the pad token, else the end token, else 0."""
        found = self._id("pad_token")
        found = self.eos_token_id if found is None else found
        return 0 if found is None else found

    def count(self, text: str) -> int:
        """Tokens of a plain text, without a template."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def encode_text(self, text: str, *, start: bool = False) -> list[int]:
        """Token ids of a plain text, without a template; with `start`, what the tokenizer puts before a text too."""
        return list(self._tokenizer.encode(text, add_special_tokens=start).ids)

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = True) -> str:
        """The text of token ids."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=skip_special_tokens))

    def encode_prompt(self, messages: Sequence[Message], add_generation_prompt: bool = True) -> list[int]:
        """Token ids of the turns so far, ready for an answer. Raises `BadInput` where the template refuses them."""
        text = self.template.render(messages, add_generation_prompt=add_generation_prompt)
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def encode(self, row: Row, max_tokens: int | None = None) -> Encoded:
        """Token ids and labels of a row, cut to its first `max_tokens`. Raises `BadInput` with the row's line."""
        _, encoded = next(self.encode_all([row], max_tokens))
        if isinstance(encoded, BadInput):
            encoded.line = row.line
            raise encoded
        return encoded

    def encode_all(self, rows: Sequence[Row], max_tokens: int | None) -> Iterator[tuple[Row, Encoded | BadInput]]:
        """Every row with its encoding, or with the reason why the template refuses it. In batches, so faster."""
        remaining = iter(rows)
        while batch := list(islice(remaining, _BATCH_ROWS)):
            rendered = [self._try_render(row) for row in batch]
            texts = [found[0] for found in rendered if not isinstance(found, BadInput)]
            encodings = iter(self._tokenizer.encode_batch(texts, add_special_tokens=False))
            for row, found in zip(batch, rendered, strict=True):
                if isinstance(found, BadInput):
                    yield row, found
                else:
                    yield row, _encoded(next(encodings), found[1], max_tokens)

    def preview(self, row: Row, max_tokens: int | None = None) -> list[tuple[str, bool]]:
        """The row as the model sees it, in pieces: (text, is it learned). What is cut off is not shown."""
        text, spans = self._render(row)
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        offsets = encoding.offsets[:max_tokens]
        learned = _learned(offsets, spans)
        pieces: list[tuple[str, bool]] = []
        start = 0
        for place, flag in enumerate(learned):
            last = place + 1 == len(learned)
            if last or learned[place + 1] != flag:
                end = len(text) if last and len(offsets) == len(encoding.offsets) else offsets[place][1]
                end = end if last else max(start, offsets[place + 1][0])
                if end > start:
                    pieces.append((text[start:end], flag))
                start = end
        return pieces

    def _id(self, name: str) -> int | None:
        text = self._special.get(name)
        found = self._tokenizer.token_to_id(text) if text is not None else None
        return None if found is None else int(found)

    def _try_render(self, row: Row) -> tuple[str, list[tuple[int, int]]] | BadInput:
        try:
            return self._render(row)
        except BadInput as error:
            return error

    def _render(self, row: Row) -> tuple[str, list[tuple[int, int]]]:
        """(text, character spans to learn). The spans are found by rendering prefixes of the conversation."""
        messages = row.messages
        text = self.template.render(messages)
        spans = []
        for place, message in enumerate(messages):
            if message.role != "assistant" or not message.learned or not message.content.strip():
                continue
            before = self.template.render(messages[:place], add_generation_prompt=True)
            upto = text if place + 1 == len(messages) else self.template.render(messages[: place + 1])
            if not upto.startswith(before) or not text.startswith(upto):
                raise BadInput(
                    f"cannot be masked: the chat template writes turn {place + 1} differently once more turns follow.",
                    "Train on single-turn rows with this model, or take another base model.",
                )
            spans.append((len(before), len(before) + self._end_of_answer(upto[len(before) :])))
        return text, spans

    def _end_of_answer(self, segment: str) -> int:
        """Length up to and with the end token; the line break that some templates put behind it is not learned."""
        ends = [segment.rfind(token) + len(token) for token in self.special_tokens if token in segment]
        end = max(ends, default=0)
        return end if end and not segment[end:].strip() else len(segment)


def _learned(offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> list[bool]:
    """Whether a token begins within a span. Tokens that straddle its beginning belong to the prompt."""
    flags = [False] * len(offsets)
    at = 0
    for place, (start, _) in enumerate(offsets):
        while at < len(spans) and start >= spans[at][1]:
            at += 1
        if at == len(spans):
            break
        flags[place] = start >= spans[at][0]
    return flags


def _encoded(encoding: Any, spans: Sequence[tuple[int, int]], max_tokens: int | None) -> Encoded:
    ids = list(encoding.ids)
    tokens = len(ids)
    if max_tokens is not None:
        ids = ids[:max_tokens]
    flags = _learned(encoding.offsets[: len(ids)], spans)
    labels = [token if flag else MASKED for token, flag in zip(ids, flags, strict=True)]
    return Encoded(ids, labels, tokens > len(ids), sum(flags), tokens)
