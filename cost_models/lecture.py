"""The lecture's worked figures beside ours: what it says, what we compute, by which formula, and whether it holds.

What the lecture says stands in `facts/lecture.toml`; what we say is computed by the functions and from the price rows
that estimates and curves use. Bytes are counted in MB, GB and TB, powers of 1,000; GiB, 2^30 bytes, are named so.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Literal

from core.jobspec import MethodSpec
from cost_models.facts import cost_facts, device
from cost_models.lecture_claims import Basis, Claim, in_words, lecture_facts
from cost_models.memory import FULL_STATE_BYTES, GIB, NF4_BYTES, peak_memory, weight_bytes
from cost_models.prices import PriceBook
from cost_models.saving import matrix_saving, model_saving
from cost_models.shapes import known_models
from cost_models.terms import LORA_FLOPS_PER_PARAMETER
from cost_models.trainable import BYTES_16_BIT, adapter_megabytes, lora_parameters

BYTES_32_BIT = 4
PURE_16_BIT_STATE_BYTES = 4 * BYTES_16_BIT
"""Full tuning with weight, gradient and both Adam moments in 16 bits: the least that Adam can do with."""
FULL_FLOPS_PER_PARAMETER = 6.0
"""Full tuning: forward 2 N, gradient of the inputs 2 N, gradient of the weights 2 N for every token."""
SMALL_CARD_GB = 24
"""Least memory of a card that tunes a 7B model by LoRA in 16 bits."""
SLACK = 0.1
"""The lecture rounds its figures: ten percent beside them still agree."""

Verdict = Literal["holds", "holds in part", "does not hold"]


@dataclass(frozen=True)
class Ours:
    """What we compute: lowest and highest value in the claim's unit, by which formula, and what there is to say."""

    low: float
    high: float
    formula: str
    why: str


@dataclass(frozen=True)
class Figure:
    """A figure of the lecture and ours."""

    claim: Claim
    ours: Ours

    @property
    def words(self) -> str:
        """Our figure in words."""
        return in_words(self.ours.low, self.ours.high, self.claim.unit)

    @property
    def verdict(self) -> Verdict:
        """Does all of our range lie within the lecture's, some of it, or none?"""
        least, most = self.claim.range
        least, most = least * (1 - SLACK), most * (1 + SLACK)
        if least <= self.ours.low and self.ours.high <= most:
            return "holds"
        return "holds in part" if self.ours.low <= most and least <= self.ours.high else "does not hold"


def figures(book: PriceBook) -> list[Figure]:
    """Every figure of the lecture with ours beside it, in the lecture file's order."""
    facts = lecture_facts()
    ours = adapters(facts.basis) | big_model(facts.basis) | small_models(facts.basis) | dollars(facts.basis, book)
    return [Figure(claim, ours[claim.id]) for claim in facts.claim]


def table(book: PriceBook) -> str:
    """The figures as a Markdown table, as docs/cost.md shows them."""
    lines = ["| figure | part | the lecture | ours | verdict | formula, and why |", "|---|---|---|---|---|---|"]
    for figure in figures(book):
        claim = figure.claim
        cells = (claim.about, claim.where, claim.words, figure.words, figure.verdict, reason(figure))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def reason(figure: Figure) -> str:
    """Formula and explanation as sentences."""
    return f"{figure.ours.formula}. {figure.ours.why}"


def adapters(b: Basis) -> dict[str, Ours]:
    """How many numbers LoRA trains, and how large its file is."""
    side, rank, shape = b.matrix_side, b.rank, known_models()[b.eight_b]
    matrix = matrix_saving(side, side, rank)
    shown, every = model_saving(shape, rank, b.targets), model_saving(shape, rank, "all-linear")
    in_16, in_32 = adapter_megabytes(shown.trained), adapter_megabytes(shown.trained, BYTES_32_BIT)
    share = b.trained_share * b.big_parameters
    one_rank = b.big_layers * len(b.targets) * lora_parameters(b.big_width, b.big_width, 1)
    big_mb = adapter_megabytes(round(share))
    return {
        "matrix": _exactly(matrix.full, f"{side:,} x {side:,} = {matrix.full:,}", "The lecture rounds down."),
        "matrix_lora": _exactly(
            matrix.trained,
            f"Rank x (rows + columns) = {rank} x ({side:,} + {side:,})",
            f"That is {matrix.times:,.0f} times fewer.",
        ),
        "fewer": _exactly(
            shown.times,
            f"{_count(shape.total_params)} / {_count(shown.trained)}",
            f"More than promised. With all linear layers it is {every.times:,.0f} times.",
        ),
        "adapter": _exactly(
            in_16,
            f"{_count(shown.trained)} x {BYTES_16_BIT} bytes",
            f"In 32 bits, as PEFT often saves it, {in_32:.3g} MB; with all linear layers "
            f"{adapter_megabytes(every.trained):.3g} MB in 16 bits.",
        ),
        "tenth_of_a_percent": _exactly(
            share,
            f"{100 * b.trained_share:g} % x {_count(b.big_parameters)}",
            f"For the shape of GPT-3, with LoRA on queries and values, that is rank {share / one_rank:.0f}.",
        ),
        "big_adapter": _exactly(
            big_mb,
            f"{_count(share)} x {BYTES_16_BIT} bytes",
            f"Even rank 1 on queries and values of GPT-3 takes {adapter_megabytes(one_rank):.3g} MB.",
        ),
    }


def big_model(b: Basis) -> dict[str, Ours]:
    """What 175 billion parameters need on disk and in GPU memory, activations left out."""
    size, count = b.big_parameters, _count(b.big_parameters)
    weights, state = size * BYTES_16_BIT / 1e9, size * FULL_STATE_BYTES / 1e9
    in_4 = size * NF4_BYTES / 1e9
    flops = LORA_FLOPS_PER_PARAMETER / FULL_FLOPS_PER_PARAMETER
    return {
        "big_file": _exactly(weights, f"{count} x {BYTES_16_BIT} bytes", f"In GiB: {weights * 1e9 / GIB:,.0f}."),
        "big_full": Ours(
            state,
            state + weights,
            f"{count} x {FULL_STATE_BYTES} bytes, or {FULL_STATE_BYTES + BYTES_16_BIT} with a 16-bit copy to work with",
            f"{weights:,.0f} GB are the 16-bit weights alone. Adam keeps each weight in 32 bits, its gradient and two "
            "moments; activations come on top.",
        ),
        "big_lora": _exactly(
            weights,
            f"{count} x {BYTES_16_BIT} bytes, frozen",
            f"LoRA spares the optimizer's memory, and the frozen weights stay: even in 4 bits they take {in_4:.0f} GB.",
        ),
        "lora_cost": _exactly(
            100 * flops,
            f"{LORA_FLOPS_PER_PARAMETER:g} N / {FULL_FLOPS_PER_PARAMETER:g} N FLOPs a token",
            "Every token still goes through the whole model, forward and back; only the frozen weights' gradients "
            f"are spared. The saving is in memory: {100 * weights / state:.3g} % of what full tuning of it takes.",
        ),
    }


def small_models(b: Basis) -> dict[str, Ours]:
    """What models of 7 and 8 billion parameters need in GPU memory."""
    eight, seven = known_models()[b.eight_b], known_models()[b.seven_b]
    qlora = MethodSpec(rank=b.rank, targets=b.targets, bits="4")
    weights = weight_bytes(eight, MethodSpec(), BYTES_16_BIT)
    formula = f"{_count(eight.total_params)} x {BYTES_16_BIT} bytes"
    all_in_4 = b.seven_b_parameters * NF4_BYTES / 1e9
    least, usual = PURE_16_BIT_STATE_BYTES, FULL_STATE_BYTES + BYTES_16_BIT
    eight_peak, seven_peak = (
        peak_memory(shape, qlora, tokens=b.step_tokens, device="cuda", checkpointing=True) for shape in (eight, seven)
    )
    return {
        "eight_b_14": _exactly(
            weights / 1e9,
            formula,
            f"A model of {_count(b.seven_b_parameters)} takes {b.seven_b_parameters * BYTES_16_BIT / 1e9:g} GB. "
            f"In GiB ours is {weights / GIB:.1f}.",
        ),
        "eight_b_16": _exactly(weights / 1e9, formula, "The weights alone; training needs a few GB more."),
        "seven_b_4_bit": Ours(
            all_in_4,
            weight_bytes(seven, qlora, BYTES_16_BIT) / 1e9,
            f"{_count(b.seven_b_parameters)} x {NF4_BYTES:.3f} bytes; then Mistral 7B with its embeddings in 32 bits",
            "Only the linear layers shrink, and PEFT widens the rest for training. Llama 3 8B has larger embeddings: "
            f"{weight_bytes(eight, qlora, BYTES_16_BIT) / 1e9:.3g} GB.",
        ),
        "seven_b_full": Ours(
            seven.total_params * least / 1e9,
            seven.total_params * usual / 1e9,
            f"{_count(seven.total_params)} x {least} to {usual} bytes, activations left out",
            "It holds where weights, gradients and Adam's moments are all kept in 16 bits; 32 are usual.",
        ),
        "qlora": Ours(
            eight_peak.low * GIB / 1e9,
            eight_peak.high * GIB / 1e9,
            f"Weights, adapter, activations and logits of {b.step_tokens:,} tokens a step, with checkpointing",
            f"Mistral 7B takes about {seven_peak.likely * GIB / 1e9:.3g} GB: its vocabulary is "
            f"{eight.vocab / seven.vocab:.1f} times smaller.",
        ),
    }


def dollars(b: Basis, book: PriceBook) -> dict[str, Ours]:
    """What the price book says of tuning, renting and training from scratch. Raises `NotFound` for a missing row."""
    facts = cost_facts()
    tune, nano = book.row("tune.openai.gpt-4o-mini.training"), book.row("tune.openai.gpt-4.1-nano.training")
    cards = [
        row
        for row in book.rows("gpu.")
        if row.memory_gb >= SMALL_CARD_GB and not row.item.endswith(".spot") and row.valid_from <= book.today
    ]
    hourly = sorted(row.usd for row in cards)
    within = sum(b.usd_per_gpu_hour[0] <= usd <= b.usd_per_gpu_hour[1] for usd in hourly)
    least, most = (hours * usd for hours, usd in zip(b.hours, b.usd_per_gpu_hour, strict=True))
    card = book.row(facts.defaults.training_gpu)
    flops = device(card.gpu).tflops * 1e12 * facts.by_id()["mfu.lora"].likely
    tokens = flops / (LORA_FLOPS_PER_PARAMETER * b.seven_b_parameters) * 3600
    scratch = [row for row in book.rows("pretrain.") if row.unit == "GPU-hours" and row.valid_from <= book.today]
    scratch_usd = sorted(row.usd * book.usd(facts.defaults.pretraining_gpu) for row in scratch)
    small = book.row(facts.defaults.pretraining_hours)
    closes = f", and takes new jobs until {tune.last_day_for_new_jobs} only" if tune.last_day_for_new_jobs else ""
    return {
        "managed": _exactly(
            tune.usd,
            f"Price book, `{tune.item}`",
            f"It is not the cheapest any more (GPT-4.1 nano takes {nano.usd:g} dollars){closes}.",
        ),
        "gpu_hour": Ours(
            hourly[0],
            hourly[-1],
            f"Price book, {len(cards)} rows of cards with {SMALL_CARD_GB} GB or more, spot prices left out",
            f"{within} of them lie within, the middle one at {median(hourly):.3g}.",
        ),
        "run": Ours(
            least,
            most,
            f"{b.hours[0]:g} h x {b.usd_per_gpu_hour[0]:g} to {b.hours[1]:g} h x {b.usd_per_gpu_hour[1]:g}",
            f"Only the dearest corner is above it. On the card of our curves ({card.gpu}, {card.usd:g} dollars an "
            f"hour) an hour trains about {_count(tokens)} tokens.",
        ),
        "from_scratch": Ours(
            scratch_usd[0],
            scratch_usd[-1],
            f"GPU-hours of {len(scratch)} published models x {book.usd(facts.defaults.pretraining_gpu):g} dollars",
            f"The least is {small.label} with {_count(small.usd)} hours; people and failed runs come on top.",
        ),
    }


def _exactly(value: float, formula: str, why: str) -> Ours:
    return Ours(value, value, formula, why)


def _count(number: float) -> str:
    return in_words(number, number, "numbers")
