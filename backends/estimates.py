"""What a job will need on this machine: the spec's own rows and model, through `cost_models`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from backends.classifier_estimate import estimate_classifier
from backends.endpoint_estimate import estimate_endpoint
from backends.history import correction_for
from backends.hub_config import config_folder
from core.base_models import BaseModelPlace, locate
from core.endpoint_address import is_endpoint
from core.errors import BadInput, BaseModelUnavailable, NotFound, TuneworthyError
from core.estimate import Estimate, RunEstimate
from core.jobspec import JobSpec
from core.machine import device_memory_gib, resolve_device
from cost_models.facts import device_name
from cost_models.pairs import as_one_row
from cost_models.prices import PriceBook
from cost_models.run_estimate import estimate_run
from cost_models.shapes import ModelShape, shape_of
from dataset.checks.tokens import CHARS_PER_TOKEN
from dataset.read import read
from dataset.render import Renderer
from training.methods import METHODS

TEMPLATE_TOKENS = 40
"""What a chat template adds to a row, where no tokenizer can say it."""
ROWS_IN_A_PROMPT = 4
"""Of a tournament, on the mean of its rungs: the question, and the examples that are not shared by all."""
OWN_MACHINE_USD_PER_HOUR = 0.0
TRAININGS = ("train", "probe")
"""Kinds of job that learn from `dataset`: a dry run does so for some steps."""


@dataclass(frozen=True)
class _File:
    """A file as it is now: a changed one is counted anew."""

    path: str
    changed_ns: int
    size_bytes: int


@dataclass(frozen=True)
class _Counted:
    """The rows of a file in tokens."""

    tokens: tuple[int, ...]
    learned_share: float | None


def estimate_local(spec: JobSpec, *, plain: bool = False) -> RunEstimate:
    """Memory, time and dollars of a job here. Where the shape of the model is unknown, so are they.

    What this machine's earlier runs showed corrects it, unless it is asked for `plain`. A card that is named in `gpu`
    and is not here is estimated from its data sheet. Raises `BadInput` for a device or layers that do not exist, and
    what reading the rows raises.
    """
    if spec.kind == "prepare":
        return unknown("A download and a conversion: as long as the network takes.")
    if spec.kind == "tournament" and is_endpoint(spec.base_model):
        return estimate_endpoint(spec)
    trains = spec.kind in TRAININGS
    if trains and spec.learner != "llm":
        return estimate_classifier(spec)
    place = locate(spec.base_model, spec.base_revision)
    try:
        shape = _shape(spec, place)
    except (NotFound, BaseModelUnavailable) as error:
        return unknown(str(error))
    device = "cuda:0" if spec.gpu else resolve_device(spec.device)
    counts = token_counts(spec, place)
    if spec.kind == "tournament" and counts is not None:
        counts = [count * ROWS_IN_A_PROMPT for count in counts]
    if trains and not METHODS[spec.method.kind].may_checkpoint():
        spec = spec.model_copy(update={"grad_checkpointing": "off"})  # as the trainer does
    found = correction_for(spec) if trains and not plain else None
    if trains and spec.objective == "dpo":
        shape, spec = as_one_row(shape, spec)
        counts = counts and [2 * count for count in counts]  # the other answer is taken to be as long
    return estimate_run(
        shape,
        spec,
        token_counts=counts,
        learned_share=learned_share(spec, place) if trains else None,
        device=device,
        device_memory_gib=None if spec.gpu else device_memory_gib(device),
        usd_per_hour=_usd_per_hour(spec),
        calibration=found,
    )


def _usd_per_hour(spec: JobSpec) -> float | None:
    """Of all the devices together; None for a card that is not here and has no price."""
    if spec.usd_per_hour is not None:
        return spec.usd_per_hour * spec.n_gpus
    return _rent(spec.gpu, spec.n_gpus) if spec.gpu else OWN_MACHINE_USD_PER_HOUR


def _rent(gpu: str, cards: int) -> float | None:
    """USD an hour of the cheapest offer of such cards that is not taken away at will; None where there is none."""
    try:
        name = device_name(gpu)
    except NotFound:
        return None
    offers = PriceBook.load(today=date.today()).rows("gpu.")
    each = [row.usd for row in offers if row.gpu == name and not row.item.endswith(".spot")]
    return min(each) * cards if each else None


def _shape(spec: JobSpec, place: BaseModelPlace) -> ModelShape:
    """From the model's folder or our list; of a model that is neither here nor in it, the hub is asked for its config.

    Raises `NotFound` or `BaseModelUnavailable`.
    """
    try:
        return shape_of(spec.base_model, place.path)
    except NotFound:
        if place.place != "hub" or not spec.allow_network:
            raise
    return shape_of(spec.base_model, config_folder(spec.base_model, spec.base_revision))


def token_counts(spec: JobSpec, place: BaseModelPlace) -> list[int] | None:
    """Tokens of each row that the job reads: the training rows, or those to judge. None where there are no rows."""
    counted = _rows(spec, place)
    return list(counted.tokens) if counted else None


def learned_share(spec: JobSpec, place: BaseModelPlace) -> float | None:
    """Share of the tokens that are learned; None where no tokenizer is here to say it."""
    counted = _rows(spec, place)
    return counted.learned_share if counted else None


def _rows(spec: JobSpec, place: BaseModelPlace) -> _Counted | None:
    path = spec.dataset if spec.kind in TRAININGS else spec.test or spec.validation
    if path is None:
        return None
    try:
        stat = os.stat(path)
    except OSError:
        return None
    file = _File(path, stat.st_mtime_ns, stat.st_size)
    inputs = tuple(spec.inputs) if spec.inputs is not None else None
    pairs = spec.objective == "dpo" or spec.kind not in TRAININGS
    return _counted(file, inputs, spec.output, spec.records, spec.system_prompt, spec.template, place.path, pairs)


def unknown(because: str) -> RunEstimate:
    """Nothing is known, and why."""

    def nothing(unit: str) -> Estimate:
        return Estimate(unit=unit, because=[because])

    return RunEstimate(
        memory_gib=nothing("GiB"), seconds=nothing("s"), tokens_per_second=nothing("tokens/s"), usd=nothing("USD")
    )


@lru_cache(maxsize=32)
def _counted(
    file: _File,
    inputs: tuple[str, ...] | None,
    output: str | None,
    records: str | None,
    system_prompt: str | None,
    template: str | None,
    folder: Path | None,
    pairs: bool,
) -> _Counted:
    columns = list(inputs) if inputs is not None else None
    data = read(
        Path(file.path),
        inputs=columns,
        output=output,
        records=records,
        system_prompt=system_prompt,
        template=template,
    )
    rows = data.usable(pairs=pairs).rows
    guessed = _Counted(tuple(len(row.text) // CHARS_PER_TOKEN + TEMPLATE_TOKENS for row in rows), None)
    if folder is None:
        return guessed
    try:
        encodings = Renderer.from_folder(folder).encode_all(rows, None)
        found = [encoded for _, encoded in encodings if not isinstance(encoded, BadInput)]
    except TuneworthyError:
        return guessed
    tokens = tuple(encoded.tokens for encoded in found)
    return _Counted(tokens, sum(encoded.trainable for encoded in found) / max(1, sum(tokens)))
