"""A JSON schema as an automaton over a vocabulary: which tokens may follow, and how far the end is.

The schema becomes a regular expression and that an automaton (outlines-core, the extra `constrained`; Willard and Louf
2023, arXiv 2307.09702). How many tokens each state needs to the end is known too, so that an answer is closed before
its room is used up: valid, and never cut.
"""

from __future__ import annotations

import importlib.util
import json
from collections import deque
from typing import Any

import torch
from tokenizers import Tokenizer

from core.errors import BadInput, Refused
from serving.byte_tokens import byte_tokens
from serving.schema_plain import plain

MAX_STATES = 20_000
NEVER = 1 << 30
"""Tokens to the end from where there is none."""


def is_installed() -> bool:
    """True where outlines-core is there."""
    return importlib.util.find_spec("outlines_core") is not None


class SchemaAutomaton:
    """One schema for one vocabulary; shared by all answers."""

    def __init__(self, schema: dict[str, Any], tokenizer: Tokenizer, end_ids: frozenset[int]) -> None:
        """Raises `Refused` where outlines-core is not installed, `BadInput` for a schema that it cannot follow."""
        if not is_installed():
            raise Refused("constrained decoding is not installed.", 'Run `pip install "tuneworthy[constrained]"`.')
        from outlines_core import Index, Vocabulary
        from outlines_core.json_schema import build_regex_from_schema

        self.end_ids = sorted(end_ids)
        by_bytes: dict[bytes, list[int]] = {}
        for token, text in byte_tokens(tokenizer).items():
            if text and token not in end_ids:
                by_bytes.setdefault(text, []).append(token)
        allowed = plain(schema)
        try:
            pattern = build_regex_from_schema(json.dumps(allowed))
            index = Index(pattern, Vocabulary(self.end_ids[0], by_bytes))
        except Exception as error:  # of a library in Rust, which has no common error
            raise BadInput(
                f"the JSON schema cannot be decoded to ({str(error)[:120]}).", "Write it plainly."
            ) from error
        self.first: int = index.get_initial_state()
        ways: dict[int, dict[int, int]] = {
            state: {token: to for token, to in follows.items() if token not in end_ids}
            for state, follows in index.get_transitions().items()
        }
        if len(ways) > MAX_STATES:
            raise BadInput("the JSON schema is too large to decode to.", "Give a shorter one.")
        self.final = set(index.get_final_states())
        self._to_end = _tokens_to_end(ways, self.final)
        if self.tokens_to_end(self.first) >= NEVER:
            raise BadInput("this model's tokens cannot write the JSON schema.", "Use another base model.")
        self._ways = ways
        self._tensors: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def tokens_to_end(self, state: int) -> int:
        """Fewest tokens from here to a whole answer, the end mark included."""
        return self._to_end.get(state, NEVER)

    def next(self, state: int, token: int) -> int:
        """The state behind a token that may follow."""
        return self._ways[state][token]

    def allowed(self, state: int, room: int, width: int) -> torch.Tensor:
        """True for each of `width` tokens that may follow and leaves room for the end; `room` counts this one."""
        if state not in self._tensors:
            follows = {token: to for token, to in self._ways.get(state, {}).items() if token < width}
            needs = [self.tokens_to_end(to) for to in follows.values()]
            self._tensors[state] = (torch.tensor(list(follows), dtype=torch.long), torch.tensor(needs))
        tokens, needs_then = self._tensors[state]
        found = torch.zeros(width, dtype=torch.bool)
        fits = needs_then <= room - 1
        if not bool(fits.any()) and state not in self.final and len(tokens):
            fits = needs_then == needs_then.min()  # the room was too small from the start: the answer will be cut
        found[tokens[fits]] = True
        if state in self.final:
            found[self.end_ids] = True
        return found


def _tokens_to_end(ways: dict[int, dict[int, int]], final: set[int]) -> dict[int, int]:
    """`{state: fewest tokens to the end}`, the end mark counted; states that lead nowhere are left out."""
    before: dict[int, set[int]] = {}
    for state, follows in ways.items():
        for to in set(follows.values()):
            before.setdefault(to, set()).add(state)
    found = dict.fromkeys(final, 1)
    waiting = deque(final)
    while waiting:
        to = waiting.popleft()
        for state in before.get(to, ()):
            if state not in found:
                found[state] = found[to] + 1
                waiting.append(state)
    return found
