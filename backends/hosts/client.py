"""The client of a host, over the official `openai` package, and its errors in words.

Imported by processes that talk to hosts only: `openai` itself is loaded at the first client, and no page makes one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from backends.hosts.keys import key_of
from backends.hosts.profile import HostProfile
from core.errors import BadInput, EngineError, NotFound, Refused, TuneworthyError

if TYPE_CHECKING:
    import httpx2
    import openai

TIMEOUT_SECONDS = 60.0
UPLOAD_SECONDS = 600.0
CLOSED = "training_not_available"
"""The code of an organisation that may start no more jobs."""
_LONGEST_QUOTE = 300
_AGAIN = "It is asked again; nothing is started twice."
_WORDS: dict[str, tuple[type[TuneworthyError], str, str]] = {
    "401": (
        EngineError,
        "{host} does not know the key (401).",
        "Check {variable}: is it of this host and this project, and not withdrawn?",
    ),
    CLOSED: (
        Refused,
        f"{{host}} starts no more tuning jobs for this organisation (403 {CLOSED}).",
        "It winds fine-tuning down, and does not say who may still. Take another host (`host.profile: azure`), or "
        "tune an open model on this machine (`engine: local`) on the same rows.",
    ),
    "403": (
        Refused,
        "{host} does not allow this (403).",
        "Ask who runs the account for the right to tune, or take a key of another project.",
    ),
    "404": (
        NotFound,
        "{host} has no such model, file or job (404).",
        "Check `base_model` and `host.base_url`; a model may have been shut down.",
    ),
    "409": (EngineError, "{host} is at odds with itself (409).", "It is asked again in a while."),
    "413": (BadInput, "{host} finds the file too large (413).", "Give fewer or shorter rows."),
    "429": (EngineError, "{host} is asked too often (429).", "It is asked again in a while."),
    "insufficient_quota": (
        Refused,
        "the account at {host} has no credit left (429).",
        "Add credit or raise the limit there, then resume the job.",
    ),
    "else": (BadInput, "{host} refuses it ({status}).", "Mend what it names, then launch it again."),
}
"""What each status or code means: kind of error, words, and the one thing to do."""
_KEY_LIKE = re.compile(r"\b(?:sk|key|ak|Bearer)[-_ ][\w*.-]{6,}|\b[\w-]{32,}\b")


def client_of(profile: HostProfile, transport: httpx2.BaseTransport | None = None) -> openai.OpenAI:
    """A client of that host with its key. `transport` stands in for the network.

    Raises `EngineError` where there is no key, or `openai` is not installed.
    """
    key = key_of(profile)
    try:
        import httpx2
        import openai
    except ImportError:
        raise EngineError("the package `openai` is not here.", "Run: pip install 'tuneworthy[managed]'") from None
    # A redirect would carry rows to another place: none is followed.
    http_client = httpx2.Client(transport=transport, timeout=TIMEOUT_SECONDS, follow_redirects=False)
    client = openai.OpenAI(api_key=key, base_url=profile.base_url, timeout=TIMEOUT_SECONDS, http_client=http_client)
    if profile.name != "openai":  # those of OPENAI_ORG_ID and the like are another host's business
        client.organization = client.project = client.admin_api_key = None
    return client


def explained(error: Exception, profile: HostProfile) -> TuneworthyError:
    """What went wrong at a host and what to do about it. Neither key nor address with a key stands in it."""
    if isinstance(error, TuneworthyError):
        return error
    import openai

    host = profile.label
    if isinstance(error, openai.APITimeoutError):
        return EngineError(f"{host} did not answer in time.", _AGAIN)
    if isinstance(error, openai.APIConnectionError):
        return EngineError(f"{host} cannot be reached.", "Check the network and `host.base_url`. It is asked again.")
    if not isinstance(error, openai.APIStatusError):
        return EngineError(f"{host} failed: {type(error).__name__}.", "Try again; the log of the job says more.")
    return _of_status(error, profile)


def may_pass(error: Exception) -> bool:
    """True for what another try may mend: no answer, too many requests, or a fault of the host's own."""
    import openai

    if isinstance(error, openai.RateLimitError):
        return _code(error) != "insufficient_quota"
    if isinstance(error, openai.APIStatusError):
        return error.status_code >= 500 or error.status_code in (408, 409)
    return isinstance(error, openai.APIConnectionError)


def may_have_been_done(error: Exception) -> bool:
    """True where nobody can say from the answer whether the host did what was asked."""
    import openai

    if isinstance(error, openai.APIStatusError):
        return error.status_code >= 500 or error.status_code in (408, 409)
    return isinstance(error, openai.APIConnectionError)


def _of_status(error: openai.APIStatusError, profile: HostProfile) -> TuneworthyError:
    status, code = error.status_code, _code(error)
    if status >= 500:
        return EngineError(f"{profile.label} has a fault of its own ({status}).", _AGAIN)
    kind, what, hint = _WORDS.get(code) or _WORDS.get(str(status)) or _WORDS["else"]
    if code.startswith("content"):
        hint = "The rows broke a rule of the host's: take those out, and launch it again."
    if status == 429 and kind is EngineError and (wait := error.response.headers.get("retry-after", "")).isdigit():
        hint = f"It asks to wait {wait} seconds."
    said = _said(error) if kind in (NotFound, BadInput) or (status in (403, 409) and code != CLOSED) else ""
    quoted = f" It said: {said}" if said else ""
    return kind(what.format(host=profile.label, status=status) + quoted, hint.format(variable=profile.key_variable))


def _code(error: Any) -> str:
    return str(getattr(error, "code", None) or "")


def _said(error: openai.APIStatusError) -> str:
    """The host's own words, shortened, and without what may be a key: some hosts send it back."""
    body = error.body if isinstance(error.body, dict) else {}
    text = body.get("message") or ""
    return without_keys(text) if isinstance(text, str) else ""


def without_keys(text: str) -> str:
    """A host's words on one line, shortened, with whatever may be a key left out."""
    return _KEY_LIKE.sub("...", " ".join(text.split()))[:_LONGEST_QUOTE]
