"""What a rescue needs of a host: its models, its tuning jobs, one answer. A client of the SDK is behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Protocol

from backends.hosts.client import client_of, explained
from backends.hosts.profile import profile
from core.errors import EngineError, TuneworthyError
from dataset.row import Message

if TYPE_CHECKING:
    import httpx2

JOBS_A_PAGE = 100
_OTHER_NAMES = {"max_tokens": "max_completion_tokens"}
_MAY_BE_LEFT_OUT = ("temperature",)


@dataclass(frozen=True, slots=True)
class HostModel:
    """A model as the host lists it."""

    id: str
    created_at: datetime | None
    shutdown: date | None = None
    """The day that the host names, where it names one."""


@dataclass(frozen=True, slots=True)
class HostJob:
    """A tuning job that has made a model."""

    id: str
    model: str
    base: str
    created_at: datetime | None
    trained_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class HostReply:
    """One answer, and what it was billed by; tokens are None where the host does not count them."""

    text: str
    prompt_tokens: int | None
    answer_tokens: int | None
    truncated: bool
    greedy: bool = True
    """False where the host refused temperature 0."""


class RescueHost(Protocol):
    """A host that keeps tuned models. Each call raises `EngineError` where it fails, with what to do."""

    name: str
    """As the price book names it: openai, azure ..."""

    def models(self) -> list[HostModel]:
        """Every model that the account may use."""
        ...

    def jobs(self) -> list[HostJob]:
        """Every tuning job that has made a model."""
        ...

    def answer(self, model: str, messages: Sequence[Message], *, max_tokens: int) -> HostReply:
        """One answer at temperature 0. May be called from several threads."""
        ...


class SdkHost:
    """A host behind the official SDK, which tries again by itself and holds the key."""

    def __init__(self, name: str, client: Any, explained: Callable[[Exception], TuneworthyError]) -> None:
        """`explained` says in words why a call of the SDK has failed."""
        self.name = name
        self._client = client
        self._explained = explained
        self._renamed: dict[str, str] = {}
        self._left_out: frozenset[str] = frozenset()

    def models(self) -> list[HostModel]:
        """Every model that the account may use."""
        with self._in_words():
            return [
                HostModel(each.id, _moment(each.created), _day(getattr(each, "shutdown_date", None)))
                for each in self._client.models.list()
            ]

    def jobs(self) -> list[HostJob]:
        """Every tuning job that has made a model, page by page."""
        with self._in_words():
            return [
                HostJob(each.id, each.fine_tuned_model, each.model, _moment(each.created_at), each.trained_tokens)
                for each in self._client.fine_tuning.jobs.list(limit=JOBS_A_PAGE)
                if each.fine_tuned_model
            ]

    def answer(self, model: str, messages: Sequence[Message], *, max_tokens: int) -> HostReply:
        """One answer at temperature 0; a setting that this host does not take is left out, and that is said."""
        settings: dict[str, object] = {"temperature": 0, "max_tokens": max_tokens}
        turns = [{"role": turn.role, "content": turn.content} for turn in messages]
        with self._in_words():
            for _ in range(1 + len(settings)):
                left_out = self._left_out
                told = {self._renamed.get(key, key): value for key, value in settings.items() if key not in left_out}
                try:
                    reply = self._client.chat.completions.create(model=model, messages=turns, **told)
                except Exception as error:
                    if not self._adapted(error, told):
                        raise
                    continue
                return _read(reply, greedy="temperature" not in left_out)
        raise EngineError(f"{self.name} takes none of our settings.", "Is it an endpoint in the manner of OpenAI's?")

    def _adapted(self, error: Exception, told: dict[str, object]) -> bool:
        """Hosts differ in two settings: ask again in the other way. True where there is one."""
        refused = str(getattr(error, "param", "") or "")
        if getattr(error, "status_code", None) != 400 or refused not in told:
            return False
        if refused in _OTHER_NAMES:
            self._renamed[refused] = _OTHER_NAMES[refused]
            return True
        if refused in _MAY_BE_LEFT_OUT:
            self._left_out |= {refused}
            return True
        return False

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except TuneworthyError:
            raise
        except Exception as error:
            raise self._explained(error) from error


def open_host(name: str, base_url: str = "", transport: httpx2.BaseTransport | None = None) -> SdkHost:
    """The host of that name with its key. `transport` stands in for the network.

    Raises `NotFound` for a name that is not on the list, `BadInput` for an address that is missing or not safe,
    `EngineError` where there is no key.
    """
    found = profile(name, base_url)
    return SdkHost(found.name, client_of(found, transport), lambda error: explained(error, found))


def _read(reply: Any, *, greedy: bool) -> HostReply:
    choice = reply.choices[0]
    usage = reply.usage
    return HostReply(
        text=choice.message.content or "",
        prompt_tokens=usage.prompt_tokens if usage else None,
        answer_tokens=usage.completion_tokens if usage else None,
        truncated=choice.finish_reason == "length",
        greedy=greedy,
    )


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _day(told: str | None) -> date | None:
    """A day as the host writes it; None for none, and for what is no day."""
    try:
        return date.fromisoformat(told[:10]) if told else None
    except ValueError:
        return None
