"""Profiles of hosts: what each calls its models, what it asks for, and where its prices and dates stand."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.endpoint_address import LOOPBACK
from core.errors import BadInput, NotFound, Problem, ProblemsFound, problems_of
from core.jobspec import JobSpec

FILE = Path(__file__).with_name("profiles.toml")
Objective = Literal["sft", "dpo"]


class HostModel(BaseModel):
    """A base model that a host tunes."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    """The host's full name of it, with its date."""
    short: str
    """The name that people write, and that the price book uses."""
    methods: tuple[Objective, ...]


class HostProfile(BaseModel):
    """One host. No secret: its key is found by the name of a variable."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    label: str
    base_url: str = ""
    """Empty where it is each customer's own."""
    base_url_example: str = ""
    host_endings: tuple[str, ...] = ()
    """How the names of its machines end, where each customer has one: the key is sent to no other."""
    key_variable: str = Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")
    checked: date
    """The day on which we last read about it."""
    source: str
    url: str = ""
    closing: str = ""
    """What is to be known of its end, in words."""
    max_suffix: int = 64
    suffix_without_dots: bool = False
    byte_order_mark: bool = False
    """The rows are sent as UTF-8 with a byte-order mark."""
    max_file_mb: int = 512
    min_rows: int = 10
    max_row_tokens: int = 65_536
    """Longer rows are cut from their end."""
    training_types: tuple[str, ...] = ()
    """Kinds of capacity that a job may ask for; the first when it does not say."""
    deploy: str = ""
    """The step between a tuned model and its first answer, in words."""
    plain_hyperparameters: bool = False
    """It takes `hyperparameters` with LoRA's own among them, and no `method`."""
    any_model: bool = False
    """True where the host tells which models it tunes, and we keep no list."""
    prices: str = ""
    """The beginning of its rows in the price book."""
    prices_by_training_type: dict[str, str] = {}
    models: tuple[HostModel, ...] = ()

    @property
    def host(self) -> str:
        """The name of the machine, for people."""
        return urlsplit(self.base_url).hostname or self.label

    def model(self, name: str) -> HostModel | None:
        """The base of that full or short name; None for one that is not on our list."""
        return next((model for model in self.models if name in (model.id, model.short)), None)

    def prices_of(self, training_type: str | None) -> str:
        """The beginning of the price rows of one kind of capacity."""
        return self.prices_by_training_type.get(training_type or "", self.prices)


@lru_cache(maxsize=1)
def profiles() -> dict[str, HostProfile]:
    """All hosts by name, in the order of the file. Raises `ProblemsFound` for a row that cannot be read."""
    found: dict[str, HostProfile] = {}
    problems: list[Problem] = []
    for table in tomllib.loads(FILE.read_text(encoding="utf-8"))["host"]:
        try:
            host = HostProfile.model_validate(table)
        except ValidationError as error:
            problems += problems_of(error, f"{FILE.name}: {table.get('name')}")
        else:
            found[host.name] = host
    if problems:
        raise ProblemsFound(problems)
    return found


def profile(name: str, base_url: str = "") -> HostProfile:
    """The host of that name, at another address where one is given.

    Raises `NotFound` for a name that is not on the list, `BadInput` for an address that is missing or not safe.
    """
    try:
        found = profiles()[name]
    except KeyError:
        raise NotFound(f"no host `{name[:40]}`.", f"Hosts: {', '.join(profiles())}.") from None
    address = base_url.strip() or found.base_url
    if not address:
        raise BadInput(f"{found.label} needs an address.", f"Set `host.base_url`, such as {found.base_url_example}.")
    _require_safe(address, found)
    name = urlsplit(address).hostname or ""
    if name not in LOOPBACK and not _own(address, name, found):
        hint = "For another host take `host.profile: compatible`, whose key stands in a variable of its own."
        raise BadInput(f"`host.base_url` is no address of {found.label}.", hint)
    return found.model_copy(update={"base_url": address})


def _own(address: str, name: str, host: HostProfile) -> bool:
    """Whether the key of this host may go there."""
    if host.base_url:
        return address.rstrip("/") == host.base_url.rstrip("/")
    return not host.host_endings or name.endswith(host.host_endings)


def profile_of(spec: JobSpec) -> HostProfile:
    """The host that a spec names. Raises as `profile` does."""
    return profile(spec.host.profile, spec.host.base_url)


def _require_safe(address: str, host: HostProfile) -> None:
    """A key is sent to no address that is not meant. Nothing of it is repeated: it may hold one."""
    try:
        place = urlsplit(address)
        name, _ = place.hostname or "", place.port
    except ValueError:
        raise BadInput("`host.base_url` cannot be read.", f"Write it like {_example(host)}.") from None
    if place.scheme not in ("http", "https") or not name:
        raise BadInput("`host.base_url` is no address of the web.", f"Write it like {_example(host)}.")
    if place.username or place.password or place.query or place.fragment:
        hint = f"Write it like {_example(host)}; the key stands in the variable {host.key_variable}."
        raise BadInput("`host.base_url` holds more than an address.", hint)
    if place.scheme != "https" and name not in LOOPBACK:
        raise BadInput("a host must be reached by https.", "Only this machine itself may use http.")


def _example(host: HostProfile) -> str:
    return host.base_url_example or host.base_url
