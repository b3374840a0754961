"""The account's tuned models at a host, listed once and kept in a file: pages read that, and never call the network."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from backends.hosts.models import base_of
from backends.rescue.host import HostJob, HostModel, RescueHost
from backends.rescue.lives import Life, is_tuned, life_of
from core.errors import BadInput, TuneworthyError
from core.home import home
from core.own_files import write_atomically
from cost_models.prices import PriceBook


class TunedModel(BaseModel):
    """A tuned model of the account."""

    model_config = ConfigDict(extra="ignore")
    id: str
    base: str
    """Empty where neither its name nor a job tells."""
    created_at: datetime | None = None
    job: str | None = None
    """The host's tuning job; None for one that it does not list."""
    trained_tokens: int | None = None
    listed: bool = True
    """False: a job has made it, and the list of models does not name it any more."""
    life: Life = Life()

    def may_answer(self, today: date) -> bool:
        """Is it listed, and not known to be shut down?"""
        days = self.life.days_left(today)
        return self.listed and (days is None or days > 0)


class TunedModels(BaseModel):
    """What a host listed, and when."""

    model_config = ConfigDict(extra="ignore")
    host: str
    listed_at: datetime
    models: list[TunedModel]
    notes: list[str] = []


def rescue_dir() -> Path:
    """Lists of tuned models and golden sets."""
    folder = home() / "rescue"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def list_tuned(host: RescueHost, book: PriceBook) -> TunedModels:
    """Ask the host for its tuned models, soonest shut down first, and keep the list. Raises what
    the host does.

    A host that lists models and no jobs still gives a list, with a note that says so.
    """
    listed = {model.id: model for model in host.models() if is_tuned(model.id)}
    notes: list[str] = []
    jobs: dict[str, HostJob] = {}
    try:
        jobs = {job.model: job for job in host.jobs()}
    except TuneworthyError as error:
        notes.append(f"The tuning jobs could not be listed: {error.message}")
    models = [_tuned(host.name, name, listed.get(name), jobs.get(name), book) for name in {**listed, **jobs}]
    found = TunedModels(host=host.name, listed_at=datetime.now(UTC), models=sorted(models, key=_urgency), notes=notes)
    write_atomically(rescue_dir() / f"models-{host.name}.json", found.model_dump_json(indent=1))
    return found


def kept_lists() -> list[TunedModels]:
    """What was listed last at each host, by its name. Raises `BadInput` for a broken file."""
    found = []
    for path in sorted(rescue_dir().glob("models-*.json")):
        try:
            found.append(TunedModels.model_validate_json(path.read_bytes()))
        except (OSError, ValidationError) as error:
            hint = "Delete it and list the models again: `tuneworthy rescue list`."
            raise BadInput("cannot be read.", hint, file=str(path)) from error
    return found


def kept_model(model: str) -> TunedModel | None:
    """A model of the kept lists; None where no list names it."""
    return next((each for listed in kept_lists() for each in listed.models if each.id == model), None)


def days_in_words(days: int | None) -> str:
    """`50 days`, `shut down`, `unknown`."""
    if days is None:
        return "unknown"
    if days <= 0:
        return "shut down"
    return f"{days} day{'' if days == 1 else 's'}"


def _tuned(host: str, name: str, model: HostModel | None, job: HostJob | None, book: PriceBook) -> TunedModel:
    base = job.base if job else base_of(name)
    # A tune of a tune names that as its base: what counts is the model underneath.
    base = base_of(base) or base
    return TunedModel(
        id=name,
        base=base,
        created_at=(model.created_at if model else None) or (job.created_at if job else None),
        job=job.id if job else None,
        trained_tokens=job.trained_tokens if job else None,
        listed=model is not None,
        life=life_of(host, base, book, model.shutdown if model else None),
    )


def _urgency(model: TunedModel) -> tuple[bool, date, str]:
    return model.life.retires is None, model.life.retires or date.max, model.id
