"""Record a golden set: ask a tuned model each prompt once, at temperature 0, never beyond the budget.

What was answered is kept before the next question goes out, so that a failure half-way costs nothing: the same call
goes on from there.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from backends.hosts.models import base_of
from backends.rescue.golden import (
    MANIFEST,
    Golden,
    Reply,
    add_reply,
    golden_dir,
    prompt_key,
    read_golden,
    read_replies,
    write_golden,
    write_rows,
)
from backends.rescue.host import RescueHost
from backends.rescue.lives import family, life_of
from backends.rescue.prompts import SEED, chosen, read_prompts
from backends.rescue.tuned_models import kept_model
from core.errors import BadInput, Refused, TuneworthyError
from cost_models.prices import PriceBook, PriceRow
from dataset.row import Row

AT_ONCE = 4
DEFAULT_MAX_TOKENS = 1024
_TOKENS_A_TURN = 8
"""Marks around a turn, counted generously."""
_PER_MILLION = 1e-6


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a call of `record` came to."""

    folder: Path
    golden: Golden
    asked: int
    """Questions that this call has asked."""
    over_budget: bool
    """It stopped because the next answers might have cost more than is left."""


def record(
    host: RescueHost,
    model: str,
    prompts: Path,
    book: PriceBook,
    *,
    inputs: list[str] | None = None,
    n: int | None = None,
    budget_usd: float | None = None,
    max_tokens: int = DEFAULT_MAX_TOKENS,
    told: Callable[[int, int], None] = lambda done, wanted: None,
) -> Recorded:
    """Ask `model` the prompts of a file of any usual format (its answers are not sent), and keep what it says.

    `inputs` are the columns that make a prompt. `n` prompts are drawn by the seed, so that a larger `n` later adds to
    them; all are asked when it is None. `told(done, wanted)` hears of each answer. Raises `BadInput` for a file without
    prompts and for another file than the set was begun with, `Refused` for a budget where no price is known and while
    another process records the set, and what the host raises: then all answers so far are kept.
    """
    given, sha256 = read_prompts(prompts, inputs)
    rows = chosen(given, n)
    folder = golden_dir(model)
    golden = _opened(folder, host, model, prompts, sha256, book, max_tokens)
    golden.inputs = inputs or []
    prices = _prices(golden, book)
    if budget_usd is not None and not prices:
        raise Refused(f"what a token of {model} costs is unknown, so no budget can be kept.", "Leave the budget out.")
    folder.mkdir(mode=0o700, exist_ok=True)
    with _alone(folder):
        replies = read_replies(folder)
        before = len(replies)
        known = {reply.key for reply in replies}
        left = [row for row in rows if prompt_key(row.asked) not in known]
        golden.wanted = max(len(rows), golden.wanted if before else 0)
        write_golden(folder, golden)
        asking = _Asking(host, golden, prices, folder, replies)
        over = False
        try:
            while left and not over:
                wave = asking.affordable(left[:AT_ONCE], budget_usd)
                over = not wave
                asking.ask(wave)
                left = left[len(wave) :]
                told(len(rows) - len(left), len(rows))
        finally:
            asking.close()
    return Recorded(folder, golden, len(replies) - before, over)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two at once would ask everything twice. Raises `Refused` for the second."""
    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused("another process records this golden set.", "Wait until it has ended.") from None
        yield


class _Asking:
    """Questions to one model, and the sums of what was answered."""

    def __init__(
        self, host: RescueHost, golden: Golden, prices: list[PriceRow], folder: Path, replies: list[Reply]
    ) -> None:
        self._host = host
        self._golden = golden
        self._prices = prices
        self._folder = folder
        self._replies = replies
        self._greedy = golden.temperature is not None
        self._lock = Lock()

    def affordable(self, rows: list[Row], budget_usd: float | None) -> list[Row]:
        """The first of `rows` that cannot take the spending past the budget, however long their answers are."""
        if budget_usd is None:
            return rows
        spent = sum(self._spent(reply) for reply in self._replies)
        found: list[Row] = []
        for row in rows:
            spent += self._most([turn.content for turn in row.asked])
            if spent > budget_usd:
                break
            found.append(row)
        return found

    def ask(self, rows: list[Row]) -> None:
        """All at once. Those that are answered are kept even where another one fails, whose error is raised."""
        if not rows:
            return
        failed: TuneworthyError | None = None
        with ThreadPoolExecutor(len(rows)) as pool:
            for future in [pool.submit(self._one, row) for row in rows]:
                try:
                    future.result()
                except TuneworthyError as error:
                    failed = failed or error
        if failed is not None:
            first = "" if "asked again" in failed.hint else failed.hint  # nobody asks again but who calls this
            failed.hint = f"{first} What was answered is kept: give the same command again.".strip()
            raise failed

    def close(self) -> None:
        """Write rows and manifest as they are now."""
        golden, replies = self._golden, self._replies
        golden.answered = len(replies)
        golden.empty = sum(not reply.text.strip() for reply in replies)
        golden.truncated = sum(reply.truncated for reply in replies)
        golden.temperature = 0.0 if self._greedy else None
        golden.prompt_tokens = sum(reply.prompt_tokens or 0 for reply in replies)
        golden.answer_tokens = sum(reply.answer_tokens or 0 for reply in replies)
        golden.usd = _usd(replies, self._prices)
        golden.prices = [row.brief() for row in self._prices]
        golden.recorded_at = datetime.now(UTC)
        if replies:
            golden.seconds_per_answer = sum(reply.seconds for reply in replies) / len(replies)
            golden.usd_per_1000_calls = None if golden.usd is None else golden.usd / len(replies) * 1000
        golden.rows_sha256 = write_rows(self._folder, replies)
        write_golden(self._folder, golden)

    def _one(self, row: Row) -> None:
        started = time.monotonic()
        answer = self._host.answer(self._golden.model, row.asked, max_tokens=self._golden.max_tokens)
        reply = Reply(
            line=row.line,
            asked=[(turn.role, turn.content) for turn in row.asked],
            text=answer.text,
            prompt_tokens=answer.prompt_tokens,
            answer_tokens=answer.answer_tokens,
            truncated=answer.truncated,
            seconds=round(time.monotonic() - started, 4),
        )
        with self._lock:
            add_reply(self._folder, reply)
            self._replies.append(reply)
            self._greedy = self._greedy and answer.greedy

    def _spent(self, reply: Reply) -> float:
        """Dollars of an answer; the most it can have been where the host does not count its tokens."""
        usd = _usd([reply], self._prices)
        return self._most([content for _, content in reply.asked]) if usd is None else usd

    def _most(self, turns: Sequence[str]) -> float:
        """Dollars of a question at the most: no token of a text is shorter than a byte."""
        size = sum(len(content.encode()) + _TOKENS_A_TURN for content in turns)
        asked, answered = self._prices
        return (size * asked.usd + self._golden.max_tokens * answered.usd) * _PER_MILLION


def _opened(
    folder: Path, host: RescueHost, model: str, prompts: Path, sha256: str, book: PriceBook, max_tokens: int
) -> Golden:
    """The set as it was begun, or a new one. Raises `BadInput` where it was begun with something else."""
    if (folder / MANIFEST).is_file():
        golden = read_golden(folder)
        if golden.prompts_sha256 != sha256:
            hint = f"Give {golden.prompts} as it was, or move the folder {folder} away to begin anew."
            raise BadInput("is not the file that this golden set was begun with.", hint, file=str(prompts))
        if golden.max_tokens != max_tokens:
            hint = f"Keep to `--max-tokens {golden.max_tokens}`, or move the folder {folder} away to begin anew."
            raise BadInput(f"the set was begun with answers of up to {golden.max_tokens} tokens.", hint)
        return golden
    known = kept_model(model)
    base = known.base if known and known.base else base_of(model)
    return Golden(
        model=model,
        host=host.name,
        base=base,
        life=known.life if known else life_of(host.name, base, book),
        prompts=str(prompts.absolute()),
        prompts_sha256=sha256,
        wanted=0,
        max_tokens=max_tokens,
        seed=SEED,
        started_at=datetime.now(UTC),
    )


def _prices(golden: Golden, book: PriceBook) -> list[PriceRow]:
    """Input and output of the tuned model per 1M tokens; nothing where one of the two is not known."""
    wanted = [f"tune.{golden.host}.{family(golden.base)}.{part}" for part in ("input", "output")]
    known = {row.item: row for row in book.rows(f"tune.{golden.host}.")}
    return [known[item] for item in wanted] if all(item in known for item in wanted) else []


def _usd(replies: Sequence[Reply], prices: list[PriceRow]) -> float | None:
    """List price of what was answered; None where the price, or the tokens of an answer, are not known."""
    if not prices or any(reply.prompt_tokens is None or reply.answer_tokens is None for reply in replies):
        return None
    asked, answered = prices
    return (
        sum((reply.prompt_tokens or 0) * asked.usd + (reply.answer_tokens or 0) * answered.usd for reply in replies)
        * _PER_MILLION
    )
