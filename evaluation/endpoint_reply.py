"""What a chat endpoint sent back: an answer, a refused setting, or when to ask again."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from core.endpoint_address import EndpointAddress
from core.errors import EngineError
from evaluation.endpoint_cache import Reply

if TYPE_CHECKING:
    import httpx2

_MAX_REPLY_BYTES = 8 << 20


def refused_setting(reply: httpx2.Response) -> str:
    """The setting that the host does not take, as OpenAI's errors name it."""
    try:
        return str(reply.json()["error"]["param"] or "")
    except (ValueError, KeyError, TypeError):
        return ""


def retry_after(reply: httpx2.Response) -> float:
    """Seconds to wait, from a number or a date (RFC 9110, section 10.2.3); 0 where nothing is said."""
    text = reply.headers.get("retry-after", "").strip()
    if not text:
        return 0.0
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def read_reply(reply: httpx2.Response, seconds: float, address: EndpointAddress) -> Reply:
    """The answer in a reply. Raises `EngineError` for one that is in another manner."""
    try:
        if len(reply.content) > _MAX_REPLY_BYTES:
            raise ValueError
        found = reply.json()
        choice = found["choices"][0]
        usage = found.get("usage") or {}
        return Reply(
            text=choice["message"].get("content") or "",
            prompt_tokens=usage.get("prompt_tokens") or 0,
            answer_tokens=usage.get("completion_tokens") or 0,
            truncated=choice.get("finish_reason") == "length",
            seconds=round(seconds, 4),
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise EngineError(
            f"the reply of {address.host} cannot be read.", "Is it an endpoint in the manner of OpenAI's?"
        ) from error


def failure_in_words(error: httpx2.HTTPError) -> str:
    """Why no reply came, without its address or content."""
    import httpx2

    if isinstance(error, httpx2.TimeoutException):
        return "it did not answer in time"
    return "it cannot be reached" if isinstance(error, httpx2.ConnectError) else type(error).__name__
