"""What is known of a job at a host: `hosted.json` in its folder, written whole before and after every paid step.

The page and the command line write it once, when the job is asked for; from then on only the poller does.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import BadInput
from core.home import runs_dir
from core.own_files import write_atomically
from core.run_folder import RunFolder

FILE = "hosted.json"


class Checkpoint(BaseModel):
    """A model from before the end of a training, which can be asked too."""

    model_config = ConfigDict(extra="forbid")
    model: str
    step: int = 0
    metrics: dict[str, float] = {}


class Ledger(BaseModel):
    """One job at a host."""

    model_config = ConfigDict(extra="forbid")
    asked_at: datetime
    training_file: str = ""
    """The host's id of the uploaded rows."""
    validation_file: str = ""
    uploaded: list[str] = []
    """Files that this job uploaded itself, and did not find there."""
    sent_at: datetime | None = None
    """Written before the request that costs money: from then on the host is asked before any second try."""
    refused: bool = False
    """True once the host said no to that request, so that nothing is still on its way."""
    job: str = ""
    """The host's id of the job."""
    status: str = ""
    """As the host spells it."""
    created_at: datetime | None = None
    finish_expected_at: datetime | None = None
    model: str = ""
    """The tuned model's name at the host."""
    trained_tokens: int | None = None
    """What is billed."""
    checkpoints: list[Checkpoint] = []
    trouble: str = ""
    """Why the host could not be asked of late, in words; empty once it answers again."""


def read_ledger(folder: RunFolder) -> Ledger | None:
    """The ledger of a job; None for one that was never asked of a host. Raises `BadInput` for a broken file."""
    try:
        return Ledger.model_validate_json((folder.path / FILE).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise BadInput("is not a ledger of a hosted job.", "Look the job up at its host.", file=FILE) from error


def write_ledger(folder: RunFolder, ledger: Ledger, **changes: Any) -> Ledger:
    """Keep a ledger with these changes, whole or not at all. Returns it."""
    changed = ledger.model_copy(update=changes)
    write_atomically(folder.path / FILE, changed.model_dump_json(indent=2))
    return changed


def on_its_way(ledger: Ledger) -> bool:
    """Whether a request that costs money was sent, and nobody can say what became of it."""
    return ledger.sent_at is not None and not ledger.refused and not ledger.job


def new_ledger(folder: RunFolder) -> Ledger:
    """The intent, before anything is sent. The first one stays."""
    return read_ledger(folder) or write_ledger(folder, Ledger(asked_at=datetime.now(UTC)))


def live_jobs() -> list[RunFolder]:
    """Folders of jobs at hosts that have not ended, by id."""
    found = sorted(path.parent for path in runs_dir().glob(f"*/{FILE}"))
    return [RunFolder(folder) for folder in found if not (folder / "outcome.json").exists()]
