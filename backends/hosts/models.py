"""Models as a host lists them: its bases, and the tuned ones of the account, with their last days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from backends.hosts.profile import HostProfile
from core.errors import NotFound
from cost_models.prices import PriceBook, PriceRow

if TYPE_CHECKING:
    import openai


@dataclass(frozen=True)
class HostedModel:
    """One model of an account."""

    id: str
    created_at: datetime | None
    owned_by: str
    retires: date | None
    """The day on which the host shuts it down, as the host or else our dated table says; None where neither does."""
    base: str = ""
    """Of a tuned one: the base that its name tells."""

    @property
    def tuned(self) -> bool:
        """Whether it came of a fine-tune."""
        return bool(self.base)

    def days_left(self, today: date) -> int | None:
        """Whole days until it is shut down, 0 when that is past; None where no day is known."""
        return None if self.retires is None else max(0, (self.retires - today).days)


def models_of(client: openai.OpenAI, profile: HostProfile, today: date) -> list[HostedModel]:
    """All models that the account can ask, by name. Raises what the client raises: see `explained`."""
    found = []
    for model in client.models.list():
        base = base_of(model.id)
        told = getattr(model, "shutdown_date", None)
        created = getattr(model, "created", None)
        found.append(
            HostedModel(
                id=model.id,
                created_at=datetime.fromtimestamp(created, UTC) if isinstance(created, int | float) else None,
                owned_by=str(getattr(model, "owned_by", "") or ""),
                retires=_date(told) or retires(profile, base or model.id, today),
                base=base,
            )
        )
    return sorted(found, key=lambda model: model.id)


def base_of(model_id: str) -> str:
    """The base of a tuned model: `ft:BASE:ORG:SUFFIX:ID` at OpenAI, `BASE.ft-ID-SUFFIX` at Azure; empty for others."""
    if model_id.startswith("ft:"):
        return model_id.split(":")[1]
    base, mark, _ = model_id.partition(".ft-")
    return base if mark else ""


def training_row(profile: HostProfile, name: str, today: date, training_type: str | None = None) -> PriceRow | None:
    """The price row that holds what a token of training costs and the host's dates; None where there is none."""
    model = profile.model(name)
    if model is None:
        return None
    try:
        return PriceBook.load(today=today).row(f"{profile.prices_of(training_type)}.{model.short}.training")
    except NotFound:
        return None


def retires(profile: HostProfile, name: str, today: date) -> date | None:
    """The day on which our dated table says that a base and all tunes on it are shut down."""
    row = training_row(profile, name, today)
    return row.retires if row else None


def _date(text: object) -> date | None:
    if not isinstance(text, str):
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
