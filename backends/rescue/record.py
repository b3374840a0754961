"""Record a golden set: ask a tuned model each prompt once, at temperature 0, never beyond the budget.

What was answered is kept before the next question goes out, so that a failure half-way costs nothing: the same call
goes on from there.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from backends.hosts.models import base_of
from backends.rescue.bill import Bill
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
from backends.rescue.lives import life_of
from backends.rescue.prompts import SEED, chosen, read_prompts
from backends.rescue.tuned_models import kept_model
from core.errors import BadInput, Refused, TuneworthyError
from cost_models.prices import PriceBook
from dataset.row import Row

AT_ONCE = 4
DEFAULT_MAX_TOKENS = 1024
MOST_OF_A_REASON = 300
"""In characters."""


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
    bill = Bill.of(golden, book)
    if budget_usd is not None and not bill.prices:
        raise Refused(f"what a token of {model} costs is unknown, so no budget can be kept.", "Leave the budget out.")
    folder.mkdir(mode=0o700, exist_ok=True)
    with _alone(folder):
        replies = read_replies(folder)
        before = len(replies)
        known = {reply.key for reply in replies}
        left = [row for row in rows if prompt_key(row.asked) not in known]
        golden.wanted = max(len(rows), golden.wanted if before else 0)
        write_golden(folder, golden)
        asking = _Asking(host, golden, bill, folder, replies)
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

    def __init__(self, host: RescueHost, golden: Golden, bill: Bill, folder: Path, replies: list[Reply]) -> None:
        self._host = host
        self._golden = golden
        self._bill = bill
        self._folder = folder
        self._replies = replies
        self._greedy = golden.temperature is not None
        self._lock = Lock()

    def affordable(self, rows: list[Row], budget_usd: float | None) -> list[Row]:
        """The first of `rows` that cannot take the spending past the budget, however long their answers are."""
        if budget_usd is None:
            return rows
        spent = sum(self._bill.at_most(reply, self._golden.max_tokens) for reply in self._replies)
        found: list[Row] = []
        for row in rows:
            spent += self._bill.most([turn.content for turn in row.asked], self._golden.max_tokens)
            if spent > budget_usd:
                break
            found.append(row)
        return found

    def ask(self, rows: list[Row]) -> None:
        """All at once. Those that are answered are kept even where another one fails, whose error is raised."""
        if not rows:
            return
        failed: TuneworthyError | None = None
        refused: list[tuple[Row, BadInput]] = []
        with ThreadPoolExecutor(len(rows)) as pool:
            for row, future in [(row, pool.submit(self._one, row)) for row in rows]:
                try:
                    future.result()
                except BadInput as error:
                    refused.append((row, error))
                except TuneworthyError as error:
                    failed = failed or error
        if refused and not self._replies:  # more likely our way of asking than each of these prompts
            failed = failed or refused[0][1]
        elif refused:
            for row, why in refused:
                self._keep(_refusal(row, why))
        if failed is not None:
            first = "" if "asked again" in failed.hint else failed.hint  # nobody asks again but who calls this
            failed.hint = f"{first} What was answered is kept: give the same command again.".strip()
            raise failed

    def close(self) -> None:
        """Write rows and manifest as they are now."""
        golden, replies = self._golden, self._replies
        golden.answered = len(replies)
        golden.empty = sum(not reply.text.strip() for reply in replies)
        golden.refused = sum(bool(reply.refused) for reply in replies)
        golden.truncated = sum(reply.truncated for reply in replies)
        golden.temperature = 0.0 if self._greedy else None
        golden.prompt_tokens = sum(reply.prompt_tokens or 0 for reply in replies)
        golden.answer_tokens = sum(reply.answer_tokens or 0 for reply in replies)
        golden.usd = self._bill.usd(replies)
        golden.prices = [row.brief() for row in [*self._bill.prices, *self._bill.hosting]]
        golden.tunes = read_golden(self._folder).tunes  # a tune may have been launched meanwhile
        if said := [reply for reply in replies if not reply.refused]:
            golden.seconds_per_answer = sum(reply.seconds for reply in said) / len(said)
            golden.usd_per_1000_calls = None if golden.usd is None else golden.usd / len(said) * 1000
        golden.rows_sha256 = write_rows(self._folder, replies)
        write_golden(self._folder, golden)

    def _one(self, row: Row) -> None:
        started = time.monotonic()
        answer = self._host.answer(self._golden.model, row.asked, max_tokens=self._golden.max_tokens)
        reply = Reply(
            line=row.line,
            asked=_turns(row),
            text=answer.text,
            prompt_tokens=answer.prompt_tokens,
            answer_tokens=answer.answer_tokens,
            truncated=answer.truncated,
            seconds=round(time.monotonic() - started, 4),
        )
        self._keep(reply, greedy=answer.greedy)

    def _keep(self, reply: Reply, *, greedy: bool = True) -> None:
        with self._lock:
            add_reply(self._folder, reply)
            self._replies.append(reply)
            self._greedy = self._greedy and greedy
            self._golden.recorded_at = datetime.now(UTC)


def _turns(row: Row) -> list[tuple[str, str]]:
    return [(turn.role, turn.content) for turn in row.asked]


def _refusal(row: Row, error: BadInput) -> Reply:
    """What is kept of a prompt that the host would not answer. It is not asked again."""
    return Reply(
        line=row.line,
        asked=_turns(row),
        text="",
        prompt_tokens=0,
        answer_tokens=0,
        truncated=False,
        seconds=0.0,
        refused=error.message[:MOST_OF_A_REASON],
    )


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
