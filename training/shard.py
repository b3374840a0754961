"""A frozen base over several devices: each keeps a share of every layer, and a layer is whole only while it computes.

FSDP2 (`fully_shard`) for what is frozen, DDP for what learns: adapters stay ordinary tensors, so checkpoints and the
adapter are saved as ever. Embeddings and output matrix stay whole on each device.
"""

from __future__ import annotations

import os
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from core.errors import BadInput


def shard_frozen(model: Any, *, on_cpu: bool) -> None:
    """Spread the frozen weights of the model's layers over all processes. Raises `BadInput` where nothing is frozen."""
    learning = {weight for weight in model.parameters() if weight.requires_grad}
    frozen = [name for name, weight in model.named_parameters() if not weight.requires_grad]
    if not frozen:
        raise BadInput("all weights learn, so there is no frozen base to spread.", "Leave `shard_base` out.")
    if not dist.is_initialized():
        if not on_cpu:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("gloo" if on_cpu else "nccl")
    mesh = init_device_mesh("cpu" if on_cpu else "cuda", (dist.get_world_size(),))
    for layer in layers_of(model):
        # Each layer is a root of its own, and a root would stay whole after a validation: in those processes alone that
        # save nothing afterwards. Then some would wait for others that have nothing to send.
        fully_shard(layer, mesh=mesh, reshard_after_forward=True, ignored_params=learning)
    # DDP would compare and send around what each process has only a share of.
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(model, frozen)


def layers_of(model: Any) -> Any:
    """The stack of equal layers that holds most of the model's weights."""
    stacks = [module for module in model.modules() if isinstance(module, torch.nn.ModuleList)]
    return max(stacks, key=lambda stack: sum(weight.numel() for weight in stack.parameters()))
