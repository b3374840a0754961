"""Bottleneck adapter layers: ours, since PEFT has none. The layers themselves are in `serving.bottleneck`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.jobspec import JobSpec
from training.methods.method import Forbidden, Method, bits_but

if TYPE_CHECKING:
    from serving.bottleneck import Bottlenecks

METHOD = Method(
    kind="bottleneck",
    label="adapter layers",
    trains="a narrow pair of layers behind attention and feed-forward",
    why="The first of its kind (Houlsby et al. 2019). It bends what passes through, which LoRA cannot, and costs time "
    "in every answer.",
    form="own",
    mergeable=False,
    rate_source="Within the range that Houlsby et al. 2019 (arXiv:1902.00751) searched, 3e-5 to 3e-3",
    settings=("bottleneck_size", "placement", "dropout"),
    forbids=(
        Forbidden(
            what="A base in fewer than 16 bits",
            because="the trainer takes a quantised base with PEFT's adapters only.",
            where="method.bits",
            hint="Use `bits: '16'`, or `lora`.",
            asked=bits_but("16"),
        ),
    ),
)
_NAME = "tuneworthy_bottlenecks"


def attach(model: Any, spec: JobSpec) -> Any:
    """The frozen model with fresh layers in it. Raises `BadInput` for a base whose blocks are built otherwise."""
    from serving.bottleneck import BottleneckConfig, Bottlenecks

    method = spec.method
    config = BottleneckConfig(
        bottleneck_size=method.bottleneck_size, placement=method.placement, dropout=method.dropout
    )
    model.requires_grad_(False)
    # A child of the model: optimizer, device and training mode follow the model's own.
    model.add_module(_NAME, Bottlenecks(model, config).to(model.device))
    return model


def layers_of(model: Any) -> Bottlenecks | None:
    """The layers that `attach` hung into the model, if it did."""
    return getattr(model, _NAME, None)


def restore(model: Any, folder: Path) -> None:
    """Take the layers of a checkpoint."""
    layers = layers_of(model)
    assert layers is not None
    layers.restore(folder)
