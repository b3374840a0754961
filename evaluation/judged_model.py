"""The model that is judged: what the judge needs of it, and where it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.adapter_files import files_of
from core.base_models import locate
from core.errors import BadInput, BaseModelUnavailable, NotFound
from core.jobspec import JobSpec
from core.machine import resolve_device
from core.paths import typed_path
from core.run_folder import RunFolder, read_json
from dataset.row import Message
from serving.completion import Completion

ADAPTER = "tuned"
"""Name under which the adapter is loaded."""


class Model(Protocol):
    """What the judge needs of a model: `serving.model.ChatModel` has it."""

    context: int

    def completions(
        self,
        prompt_ids: list[list[int]],
        *,
        adapter: str | None = None,
        max_new_tokens: int,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, Completion]]:
        """`(index, answer)` as they are ready."""
        ...

    def likelihoods(
        self,
        questions: list[tuple[list[int], list[list[int]]]],
        *,
        adapter: str | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, list[float]]]:
        """`(index, log-probability of each choice)` as they are ready."""
        ...


class PromptRenderer(Protocol):
    """What the judge needs of a renderer: `dataset.render.Renderer` has it."""

    def encode_prompt(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of the turns so far, ready for an answer."""
        ...

    def count(self, text: str) -> int:
        """Tokens of a plain text."""
        ...

    def encode_text(self, text: str, *, start: bool = False) -> list[int]:
        """Token ids of a plain text; with `start` those that the model expects at the start of one come first."""
        ...


@dataclass(frozen=True)
class Opened:
    """A model that can be asked, what turns conversations into its prompts, and the folder of its weights."""

    model: Model
    renderer: PromptRenderer
    base: Path


def open_local(spec: JobSpec, adapter: Path | None) -> Opened:
    """The base from this machine, with the adapter beside it. Raises `BaseModelUnavailable`."""
    place = locate(spec.base_model, spec.base_revision)
    if place.path is None:
        raise BaseModelUnavailable(f"{spec.base_model} is not on this machine yet.", "Run a `prepare` job first.")
    from dataset.render import Renderer
    from serving.model import ChatModel

    adapters = {ADAPTER: adapter} if adapter else {}
    model = ChatModel.load(place.path, adapters, resolve_device(spec.device), spec.precision)
    return Opened(model, Renderer.from_folder(place.path), place.path)


def find_adapter(spec: JobSpec) -> Path:
    """The adapter's folder. Raises `NotFound`, or `BadInput` where it was trained on another base."""
    run = RunFolder.of(spec.job) if spec.job else None
    folder = typed_path(spec.adapter) if spec.adapter else run.adapter if run else Path()
    config, weights = files_of(folder)
    if not config.is_file():
        raise NotFound(f"no adapter at {folder}.", "Has its train job succeeded?")
    if not weights.is_file():
        raise NotFound(f"{folder} holds no {weights.name}.", "Train the adapter again.")
    for lineage in (folder / "lineage.json", (run.path if run else folder.parent) / "lineage.json"):
        if lineage.is_file():
            _refuse_other_base(spec, lineage)
            break
    return folder


def adapter_sha256(adapter: Path) -> str:
    """Hash of an adapter's weights."""
    with files_of(adapter)[1].open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse_other_base(spec: JobSpec, lineage: Path) -> None:
    trained_on = read_json(lineage).get("base_model")
    if trained_on and trained_on != spec.base_model:
        raise BadInput(
            f"the adapter was trained on {trained_on}, not on {spec.base_model}.", f"Set base_model: {trained_on}."
        )
