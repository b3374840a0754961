"""Where a hosted model is, written in one line of a spec: `https://api.openai.com/v1?key=OPENAI_API_KEY#gpt-4.1-mini`.

The line names the variable of the environment that holds the key. The key itself stands nowhere: not in a spec, a
store, a log or a command line.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, ConfigDict

from core.errors import BadInput, EngineError, Refused

LOOPBACK = ("localhost", "127.0.0.1", "::1")
EXAMPLE = "https://api.openai.com/v1?key=OPENAI_API_KEY#gpt-4.1-mini"
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_MODEL = re.compile(r"[\w./:@+-]{1,200}")


class EndpointAddress(BaseModel):
    """An OpenAI-compatible host, the model that is asked there, and where its key is found."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    base_url: str
    """Up to and without `/chat/completions`."""
    model: str
    """The host's own name of the model."""
    key_variable: str = ""
    """Variable of the environment that holds the key; empty for a host that wants none."""

    @property
    def host(self) -> str:
        """For people: the name of the machine."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def own_machine(self) -> bool:
        """True where nothing leaves this machine."""
        return self.host in LOOPBACK

    @classmethod
    def parse(cls, text: str) -> EndpointAddress:
        """Read `URL?key=VARIABLE#MODEL`. Raises `BadInput`; what was given is not repeated, since it may hold a key."""
        try:
            place = urlsplit(text.strip())
            host, _ = place.hostname, place.port  # a port that is no number shows here
        except ValueError as error:
            raise BadInput("the address of the endpoint cannot be read.", f"Write it like {EXAMPLE}.") from error
        if not is_endpoint(text) or not host:
            raise BadInput("the address of the endpoint cannot be read.", f"Write it like {EXAMPLE}.")
        if place.username or place.password:
            raise BadInput("the address of the endpoint holds a name or a password.", "Name a variable: ?key=NAME.")
        if place.scheme != "https" and host not in LOOPBACK:
            raise BadInput("an endpoint must be reached by https.", "Only this machine itself may use http.")
        settings = dict(parse_qsl(place.query, keep_blank_values=True))
        variable = settings.pop("key", "")
        if settings:
            raise BadInput("the address of the endpoint has settings other than `key`.", f"Write it like {EXAMPLE}.")
        if variable and not _VARIABLE.fullmatch(variable):
            hint = "Put the key into a variable such as OPENAI_API_KEY and write its name, never the key."
            raise BadInput("`key` must be the name of a variable of the environment, in capitals.", hint)
        model = unquote(place.fragment)
        if not _MODEL.fullmatch(model):
            raise BadInput("the address of the endpoint names no model.", f"Put it behind a `#`: {EXAMPLE}.")
        path = place.path.rstrip("/").removesuffix("/chat/completions")
        return cls(base_url=f"{place.scheme.lower()}://{place.netloc}{path}", model=model, key_variable=variable)


def usable(text: str, *, whom: str, allow_network: bool) -> EndpointAddress:
    """An address that may be asked from here, looked at before any work is done. `whom` names it: `judge`.

    Raises `BadInput` for what is no address, `Refused` without network, `EngineError` without its key.
    """
    address = EndpointAddress.parse(text)
    if not (allow_network or address.own_machine):
        raise Refused(f"the {whom} may not use the network.", "Set `allow_network: true`, or name one of this machine.")
    name = address.key_variable
    if name and not os.environ.get(name, "").strip():
        raise EngineError(
            f"the variable {name} holds no key for the {whom}.", f"Set {name} where tuneworthy is started."
        )
    return address


def key_variables(*addresses: str | None) -> tuple[str, ...]:
    """Variables that the endpoints among these need, so that a worker is given them and no other key."""
    found = []
    for text in addresses:
        if text and is_endpoint(text):
            with suppress(BadInput):
                found.append(EndpointAddress.parse(text).key_variable)
    return tuple(name for name in found if name)


def is_endpoint(text: str | None) -> bool:
    """True for what is meant as the address of an endpoint, not as a folder or a hub id."""
    return bool(text and _ADDRESS.match(text.strip()))
