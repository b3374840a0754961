"""What recording costs, by list prices: what was spent, and the most that a question can cost before it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backends.rescue.golden import Golden, Reply
from backends.rescue.lives import family
from cost_models.prices import PriceBook, PriceRow

TOKENS_A_TURN = 8
"""Marks around a turn, counted generously."""
_PER_MILLION = 1e-6


@dataclass(frozen=True, slots=True)
class Bill:
    """Prices of one tuned model. Discounts for cached or batched tokens are not counted."""

    prices: tuple[PriceRow, ...]
    """Input and output per 1M tokens; empty where one of the two is not known."""
    hosting: tuple[PriceRow, ...]
    """What the model costs by the hour, used or not; empty where it costs nothing, or nobody tells."""

    @classmethod
    def of(cls, golden: Golden, book: PriceBook) -> Bill:
        """The prices of the model of a golden set."""
        start = f"tune.{golden.host}.{family(golden.base)}"
        known = {row.item: row for row in book.rows(f"{start}.")}
        wanted = [known.get(f"{start}.{part}") for part in ("input", "output")]
        prices = tuple(row for row in wanted if row is not None)
        hosting = known.get(f"{start}.hosting")
        return cls(prices if len(prices) == 2 else (), (hosting,) if hosting and hosting.usd > 0 else ())

    def usd(self, replies: Sequence[Reply]) -> float | None:
        """List price of what was answered; None where the price, or the tokens of an answer, are not known."""
        if not self.prices or any(reply.prompt_tokens is None or reply.answer_tokens is None for reply in replies):
            return None
        counts = [(reply.prompt_tokens or 0, reply.answer_tokens or 0) for reply in replies]
        return sum(self._price(*count) for count in counts)

    def at_most(self, reply: Reply, max_tokens: int) -> float:
        """Dollars of an answer; the most that it can have been where the host does not count its tokens."""
        usd = self.usd([reply])
        return self.most([content for _, content in reply.asked], max_tokens) if usd is None else usd

    def most(self, turns: Sequence[str], max_tokens: int) -> float:
        """Dollars of a question at the most, however long its answer is: no token of a text is shorter than a byte."""
        return self._price(sum(len(content.encode()) + TOKENS_A_TURN for content in turns), max_tokens)

    def _price(self, prompt_tokens: int, answer_tokens: int) -> float:
        asked, answered = self.prices
        return (prompt_tokens * asked.usd + answer_tokens * answered.usd) * _PER_MILLION
