"""Bottleneck adapter layers (Houlsby et al. 2019, arXiv:1902.00751; Pfeiffer et al. 2021, arXiv:2005.00247).

Behind attention and feed-forward of every block a narrow pair of layers is added: `h + up(relu(down(h)))`. PEFT has no
such method, so form and loader are ours: nobody else loads these files, and what is not linear cannot be merged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors.torch import load_file, save_file

from core.adapter_files import CONFIG, OWN_FORM, WEIGHTS
from core.errors import BadInput, problems_of
from core.run_folder import write_atomically
from serving.adapter_files import BOTTLENECK, read_config

Part = Literal["attention", "feed_forward"]
PARTS: dict[str, tuple[Part, ...]] = {"houlsby": ("attention", "feed_forward"), "pfeiffer": ("feed_forward",)}
NAMES: dict[Part, tuple[str, ...]] = {
    "attention": ("self_attn", "attn", "attention", "self_attention"),
    "feed_forward": ("mlp", "feed_forward", "ffn"),
}
"""What the models of transformers call these parts of a block."""
NOTE = "Tuneworthy's own form: PEFT does not load it, and it cannot be merged into the base."


class BottleneckConfig(BaseModel):
    """Our `adapter_config.json`."""

    model_config = ConfigDict(extra="ignore")
    bottleneck_size: int = Field(ge=1, le=4096)
    placement: Literal["houlsby", "pfeiffer"]
    dropout: float = Field(default=0.0, ge=0, lt=1)


class BottleneckLayer(torch.nn.Module):  # type: ignore[misc]
    """One narrow pair, `(..., hidden)` to the same. Zero at its start: the first step is that of the base."""

    def __init__(self, hidden: int, width: int, dropout: float) -> None:
        super().__init__()
        self.down = torch.nn.Linear(hidden, width)
        self.up = torch.nn.Linear(width, hidden)
        self.dropout = torch.nn.Dropout(dropout)
        torch.nn.init.zeros_(self.down.bias)
        torch.nn.init.zeros_(self.up.weight)
        torch.nn.init.zeros_(self.up.bias)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """The input and what the pair adds to it, in the input's number format."""
        inner = self.dropout(torch.relu(self.down(hidden.to(self.down.weight.dtype))))
        return hidden + self.up(inner).to(hidden.dtype)


class Bottlenecks(torch.nn.Module):  # type: ignore[misc]
    """All added layers of one model. They take part in its forward pass while `active` is true."""

    def __init__(self, model: Any, config: BottleneckConfig) -> None:
        """Hang new layers into `model`. Raises `BadInput` for a model whose blocks are built otherwise."""
        super().__init__()
        self.config = config
        self.active = True
        self._hooks: list[Any] = []
        self.layers = torch.nn.ModuleDict()
        text = model.config.get_text_config()
        for at, block in enumerate(_blocks(model, text.num_hidden_layers)):
            for part in PARTS[config.placement]:
                layer = BottleneckLayer(text.hidden_size, config.bottleneck_size, config.dropout)
                self.layers[f"{at}_{part}"] = layer
                self._hooks.append(_part(block, part).register_forward_hook(self._hook(layer)))

    @classmethod
    def load(cls, model: Any, folder: Path) -> Bottlenecks:
        """The layers of a folder, hung into `model`. Raises `BadInput` where they do not fit."""
        try:
            config = BottleneckConfig.model_validate(read_config(folder))
        except ValidationError as error:
            raise BadInput(problems_of(error)[0].what, "Train the adapter again.", file=str(folder / CONFIG)) from error
        found = cls(model, config)
        found.restore(folder)
        found.active = False
        return found

    def restore(self, folder: Path) -> None:
        """Take the weights of a folder. Raises `BadInput` where they are of another shape."""
        try:
            self.layers.load_state_dict(load_file(folder / WEIGHTS))
        except (OSError, RuntimeError) as error:
            raise BadInput(
                f"the adapter {folder} does not fit this base model.",
                "Was it trained on another base?",
                file=str(folder),
            ) from error

    def save(self, folder: Path) -> None:
        """Write our two files."""
        folder.mkdir(parents=True, exist_ok=True)
        weights = {name: weight.detach().cpu().contiguous() for name, weight in self.layers.state_dict().items()}
        save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
        told = {OWN_FORM: BOTTLENECK, "note": NOTE} | self.config.model_dump()
        write_atomically(folder / CONFIG, json.dumps(told, indent=2, sort_keys=True))

    def remove(self) -> None:
        """Leave the model as it was."""
        for hook in self._hooks:
            hook.remove()

    @contextmanager
    def on(self) -> Iterator[None]:
        """Let them take part inside the block."""
        self.active = True
        try:
            yield
        finally:
            self.active = False

    def _hook(self, layer: BottleneckLayer) -> Callable[[Any, Any, Any], Any]:
        def add(_module: Any, _inputs: Any, output: Any) -> Any:
            if not self.active:
                return output
            if isinstance(output, tuple):  # attention also returns its weights
                return (layer(output[0]), *output[1:])
            return layer(output)

        return add


def _blocks(model: Any, count: int) -> Any:
    """The model's list of decoder blocks."""
    for module in model.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == count and _has_parts(module[0]):
            return module
    raise BadInput(
        f"the blocks of {type(model).__name__} are built in a way that adapter layers do not know.", "Use `lora`."
    )


def _has_parts(block: Any) -> bool:
    return all(any(hasattr(block, name) for name in names) for names in NAMES.values())


def _part(block: Any, part: Part) -> Any:
    return next(getattr(block, name) for name in NAMES[part] if hasattr(block, name))
