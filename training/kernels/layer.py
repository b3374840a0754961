"""One decoder layer as one step of autograd: which tensors live until the backward is decided here, not by chance.

Kept of a layer with `h` hidden, `kv` key and `f` feed-forward numbers a token: input and middle residual (2 h), rotated
queries, keys and values (h + 2 kv), the attention's output (h), gate and up (2 f). Norms and the gated product are made
again in the backward, where they cost one pass over a row. With `recompute` only the input is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from training.kernels import rows
from training.kernels.adapters import Group
from training.kernels.frozen import Frozen, SixteenBits
from training.kernels.offload import Offload
from training.kernels.rows import Rows

Tensor = Any
BACKENDS = [SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
"""Of attention, the fastest on a Hopper card first."""


@dataclass
class Layer:
    """What is frozen of a decoder layer, and how it is to be kept."""

    heads: int
    kv_heads: int
    head_dim: int
    epsilon: float
    norm_before: Tensor
    norm_between: Tensor
    weights: dict[str, Frozen]
    """`qkv`, `o`, `gate_up`, `down`."""
    groups: dict[str, Group]
    recompute: bool = False
    offload: Offload | None = None
    """Where the kept input goes with `recompute`; on the card without one."""
    biases: dict[str, Tensor] = field(default_factory=dict)
    """Of `qkv`, where the model has them."""


@dataclass
class _Kept:
    """The tensors of one pass that its backward needs."""

    x: Tensor
    turned: tuple[Tensor, ...]
    """Queries, keys and values as leaves of the attention's own graph."""
    attended: Tensor
    """The attention's output, at the end of that graph."""
    between: Tensor
    both: Tensor
    lows: dict[str, Tensor | None]


def run_layer(layer: Layer, x: Tensor, cos: Tensor, sin: Tensor, matrices: tuple[Tensor, ...]) -> Tensor:
    """The layer's output for `x (batch, tokens, hidden)`; `matrices` are A, B of all groups in the order of `groups`.

    `cos` and `sin` are `(positions, head_dim)`, positions being tokens or batch x tokens.
    """
    if not torch.is_grad_enabled():
        return _forward(layer, x, cos, sin, matrices)[0]
    out: Tensor = _DecoderLayer.apply(x, cos, sin, layer, *matrices)
    return out


class _DecoderLayer(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor, layer: Layer, *matrices: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            out, kept = _forward(layer, x, cos, sin, matrices)
        ctx.layer, ctx.places = layer, (cos, sin)
        ctx.save_for_backward(*matrices)
        if layer.recompute:
            ctx.x = layer.offload.put(x) if layer.offload else x
        else:
            ctx.kept = kept
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        layer, (cos, sin), matrices = ctx.layer, ctx.places, ctx.saved_tensors
        with torch.autocast(gradient.device.type, enabled=False):
            if layer.recompute:
                x = layer.offload.get(ctx.x) if layer.offload else ctx.x
                kept = _forward(layer, x, cos, sin, matrices, last=False)[1]
                del ctx.x, x
            else:
                kept = ctx.kept
                del ctx.kept  # the loss may outlive the step, and these must not
            dx, gradients = _backward(layer, kept, gradient, cos, sin, matrices, wanted=ctx.needs_input_grad[0])
        return (dx, None, None, None, *gradients)


def _forward(
    layer: Layer, x: Tensor, cos: Tensor, sin: Tensor, matrices: tuple[Tensor, ...], *, last: bool = True
) -> tuple[Tensor, _Kept]:
    """The pass, and what its backward needs. Without `last` the output itself is not made."""
    batch, tokens, hidden = x.shape
    w, flat, lows = layer.weights, x.reshape(-1, hidden), {}
    given = _by_group(layer, matrices)

    def multiply(name: str, read: Rows) -> Tensor:
        product, lows[name] = _multiply(w[name], layer.groups[name], read, given[name])
        if name in layer.biases:
            product += layer.biases[name]
        return product

    qkv = multiply("qkv", rows.norm(flat, layer.norm_before, layer.epsilon, fp8=w["qkv"].fp8, room=w["qkv"].room))
    rows.rotate_(qkv, cos, sin, layer.heads + layer.kv_heads)
    turned = _split(layer, qkv, batch, tokens)
    with torch.enable_grad():
        leaves = tuple(part.detach().requires_grad_() for part in turned)
        attended = _attend(layer, *leaves)
    out = attended.detach().transpose(1, 2).reshape(batch * tokens, layer.heads * layer.head_dim)
    answer = multiply("o", rows.with_small(out, fp8=w["o"].fp8))
    between, read = rows.add_norm(
        flat, answer, layer.norm_between, layer.epsilon, fp8=w["gate_up"].fp8, room=w["gate_up"].room
    )
    both = multiply("gate_up", read)
    kept = _Kept(x, leaves, attended, between, both, lows)
    act = rows.swiglu(both, fp8=w["down"].fp8)
    if not last:
        lows["down"] = _low(layer.groups["down"], act.values, given["down"])
        return x, kept  # the weight of `down` still holds the Bs of the forward
    del read, answer, qkv, out
    return (multiply("down", act).add_(between)).view(batch, tokens, hidden), kept


def _backward(
    layer: Layer, kept: _Kept, gradient: Tensor, cos: Tensor, sin: Tensor, matrices: tuple[Tensor, ...], *, wanted: bool
) -> tuple[Tensor | None, list[Tensor]]:
    """(gradient of the input where `wanted`, those of the matrices in their order)."""
    batch, tokens, hidden = gradient.shape
    w, groups, given = layer.weights, layer.groups, _by_group(layer, matrices)
    found: dict[str, list[Tensor]] = {}

    def pull(name: str, g: Rows, *, onwards: bool = True) -> Tensor | None:
        dx, low_gradients[name] = _pull(w[name], groups[name], g, given[name], onwards=onwards)
        return dx

    def learn(name: str, g: Tensor, x: Tensor) -> None:
        if kept.lows[name] is not None:
            found[name] = groups[name].gradients(g, kept.lows[name], low_gradients[name], x, given[name])

    low_gradients: dict[str, Tensor | None] = {}
    flat = gradient.reshape(-1, hidden)
    act = pull("down", rows.with_small(flat, fp8=w["down"].fp8))
    both = rows.swiglu_backward_(kept.both, act, fp8=w["gate_up"].fp8)  # `act` is the gated product from here on
    learn("down", flat, act)
    del act
    dread = pull("gate_up", both)
    between, read = rows.norm_backward(dread, kept.between, layer.norm_between, layer.epsilon, flat, fp8=w["o"].fp8)
    learn("gate_up", both.values, read)
    del both, dread
    kept.both = kept.between = None
    dout: Tensor = pull("o", between)
    learn("o", between.values, kept.attended.detach().transpose(1, 2).reshape(batch * tokens, -1))
    dout = dout.view(batch, tokens, layer.heads, layer.head_dim).transpose(1, 2)
    parts = torch.autograd.grad(kept.attended, kept.turned, dout)
    kept.attended, kept.turned = None, ()
    dqkv = torch.cat([part.transpose(1, 2).reshape(batch * tokens, -1) for part in parts], 1)
    del parts, dout
    rows.rotate_(dqkv, cos, sin, layer.heads + layer.kv_heads, back=True)
    dread = pull("qkv", rows.with_small(dqkv, fp8=w["qkv"].fp8 and wanted), onwards=wanted)
    x = kept.x.reshape(-1, hidden)
    if wanted:
        dx, read = rows.norm_backward(dread, x, layer.norm_before, layer.epsilon, between.values)
    else:
        read = rows.norm(x, layer.norm_before, layer.epsilon).values
    learn("qkv", dqkv, read)
    gradients = [one for name in groups for one in found.get(name, [])]
    return (dx.values.view(batch, tokens, hidden) if wanted else None), gradients


def _multiply(weight: Frozen, group: Group, read: Rows, matrices: tuple[Tensor, ...]) -> tuple[Tensor, Tensor | None]:
    """`(x W' + x A' B', x A')`."""
    low = _low(group, read.values, matrices, into=read.wide[:, -weight.room :] if weight.room else None)
    if low is None:
        return weight.forward(read), None
    ups = group.ups(matrices, low.dtype)
    weight.take(ups)
    if weight.room:
        return weight.forward(read), low.clone()  # the rows behind it are not kept for the backward
    return weight.forward(read).addmm_(low, ups.t()), low


def _low(group: Group, x: Tensor, matrices: tuple[Tensor, ...], into: Tensor | None = None) -> Tensor | None:
    if not group.places:
        return None
    low = x @ group.downs(matrices, x.dtype).t()
    return low if into is None else into.copy_(low)


def _pull(
    weight: Frozen, group: Group, g: Rows, matrices: tuple[Tensor, ...], *, onwards: bool
) -> tuple[Tensor | None, Tensor | None]:
    """(gradient of x where it goes `onwards`, gradient of `x A'`)."""
    if not group.places:
        return (weight.backward(g) if onwards else None), None
    if onwards and isinstance(weight, SixteenBits) and weight.room_below:
        low_gradient = g.values @ group.ups(matrices, g.values.dtype)
        g = weight.take_below(group.downs(matrices, g.values.dtype), g.values, low_gradient)
        return weight.backward(g), low_gradient
    wide = weight.backward(g) if onwards else None
    if wide is not None and weight.room_back:
        dx, low_gradient = wide[:, : -weight.room_back], wide[:, -weight.room_back :]
    else:
        dx, low_gradient = wide, g.values @ group.ups(matrices, g.values.dtype)
    if dx is not None:
        dx.addmm_(low_gradient, group.downs(matrices, dx.dtype))
    return dx, low_gradient


def _attend(layer: Layer, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention, `(batch, heads, tokens, head_dim)`. Rows are padded at their end, where nothing looks."""
    with sdpa_kernel(BACKENDS, set_priority=True):
        return scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=layer.kv_heads != layer.heads)


def _split(layer: Layer, qkv: Tensor, batch: int, tokens: int) -> tuple[Tensor, ...]:
    """Queries, keys and values as views, `(batch, heads, tokens, head_dim)`."""
    sizes = [layer.heads, layer.kv_heads, layer.kv_heads]
    by_head = qkv.view(batch, tokens, sum(sizes), layer.head_dim)
    return tuple(part.transpose(1, 2) for part in by_head.split(sizes, 2))


def _by_group(layer: Layer, matrices: tuple[Tensor, ...]) -> dict[str, tuple[Tensor, ...]]:
    given, first = {}, 0
    for name, group in layer.groups.items():
        given[name] = matrices[first : first + 2 * len(group.places)]
        first += 2 * len(group.places)
    return given
