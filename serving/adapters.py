"""A base in memory and what was tuned for it, by name: adapters of every form, each switched on while it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from core.errors import BadInput, BaseModelUnavailable, NotFound
from serving.adapter_files import BOTTLENECK, WHOLE, check_adapter
from serving.bottleneck import Bottlenecks
from serving.prefix import SharedPrefix, install
from serving.rescaling import Rescaling
from serving.virtual_tokens import load_virtual_tokens


@dataclass(frozen=True)
class Asked:
    """Who answers: a network, and the learned places before every prompt, if there are any."""

    network: Any
    before: SharedPrefix | None = None


def load_network(folder: Path, dtype: torch.dtype, device: str) -> Any:
    """A model of a folder with safetensors, ready to answer. Raises `BaseModelUnavailable`."""
    try:
        network = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError, KeyError) as error:
        first_line = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise BaseModelUnavailable(f"{folder} cannot be loaded ({first_line}).", "Prepare it again.") from error
    network.to(device).eval()
    install(network)
    network.get_output_embeddings().register_forward_pre_hook(_contiguous)
    return network


class Adapters:
    """What is loaded beside `base`, and the switches between them. Without one, the base answers as it is."""

    def __init__(self, base: Any, device: str) -> None:
        self.base = base
        self.device = device
        self._lora: PeftModel | None = None
        self._lora_names: dict[str, str] = {}
        self._asked: dict[str, Asked] = {}
        self._lora_added = 0
        self._layers: dict[str, Rescaling | Bottlenecks] = {}

    @property
    def names(self) -> list[str]:
        """In the order in which they were added."""
        return list(self._asked)

    def add(self, name: str, folder: Path) -> None:
        """Load what lies in `folder` under this name. Raises `NotFound` or `BadInput`."""
        kind = check_adapter(folder)
        asked = Asked(self.base)
        if kind == "LORA":
            self._add_lora(name, folder)
        elif kind == "IA3":
            self._layers[name] = Rescaling(self.base, folder, self.device)
        elif kind == BOTTLENECK:
            self._layers[name] = Bottlenecks.load(self.base, folder).to(self.device, self.base.dtype).eval()
        elif kind == WHOLE:
            asked = Asked(self._whole(folder))
        else:
            with self.using(None):  # a learned prompt is read by the bare base
                asked = Asked(self.base, load_virtual_tokens(self.base, folder, self.device))
        self._asked[name] = asked

    def virtual_tokens(self, name: str | None) -> int:
        """Learned places before every prompt of this adapter."""
        before = self._asked[name].before if name in self._asked else None
        return before.tokens if before else 0

    def require(self, name: str) -> None:
        """Raise `NotFound` for a name under which nothing is loaded."""
        if name not in self._asked:
            raise NotFound(f"no adapter `{name[:60]}` is loaded.", f"Loaded: {', '.join(self._asked) or 'none'}.")

    def remove(self, name: str) -> None:
        """Take it out of memory. Raises `NotFound`."""
        self.require(name)
        del self._asked[name]
        if (layers := self._layers.pop(name, None)) is not None:
            layers.remove()
        inner = self._lora_names.pop(name, None)
        if inner is not None and self._lora is not None:
            # First: layers that were tuned whole would else be left in the base.
            self._lora.delete_adapter(inner)
            if not self._lora_names:
                # PEFT keeps no model without an adapter: the base gets its own layers back.
                self._lora.unload()
                self._lora = None

    @contextmanager
    def using(self, name: str | None) -> Iterator[Asked]:
        """Inside, this adapter is on and no other; None is the bare base. Raises `NotFound`."""
        if name is not None:
            self.require(name)
        with ExitStack() as switched:
            if name in self._lora_names and self._lora is not None:
                self._lora.set_adapter(self._lora_names[name])
            elif self._lora is not None:
                switched.enter_context(self._lora.disable_adapter())
            if name in self._layers:
                switched.enter_context(self._layers[name].on())
            yield Asked(self.base) if name is None else self._asked[name]

    def _add_lora(self, name: str, folder: Path) -> None:
        inner = f"adapter_{self._lora_added}"
        try:
            # In the base's number format: beside a bfloat16 base, a float32 adapter would convert at every layer.
            if self._lora is None:
                self._lora = PeftModel.from_pretrained(
                    self.base, str(folder), adapter_name=inner, autocast_adapter_dtype=False
                ).eval()
            else:
                self._lora.load_adapter(str(folder), adapter_name=inner, autocast_adapter_dtype=False)
        except (RuntimeError, ValueError, KeyError) as error:
            raise BadInput(
                f"the adapter {folder} does not fit this base model.",
                "Was it trained on another base?",
                file=str(folder),
            ) from error
        self._lora_added += 1
        self._lora_names[name] = inner

    def _whole(self, folder: Path) -> Any:
        network = load_network(folder, self.base.dtype, self.device)
        ours, theirs = (each.config.get_text_config().vocab_size for each in (network, self.base))
        if ours != theirs:
            raise BadInput(
                f"the model {folder} has {ours} tokens, its base {theirs}.", "Was it tuned from another base?",
                file=str(folder),
            )  # fmt: skip
        return network


def _contiguous(_module: Any, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """The last token of each row, side by side.

    As a slice of all tokens, it would make torch copy the whole output matrix once a row (3 GB for 56 rows).
    """
    return (inputs[0].contiguous(), *inputs[1:])
