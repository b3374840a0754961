"""What each approach costs, as named terms: once at the start, every month, and in steps (a tune made again).

All arrays have shape (draws,), all money is USD. Nothing here rounds and nothing is hidden: a term that is not counted
stands in `NOT_COUNTED`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.answers import ApproachId
from cost_models.draws import Array
from cost_models.facts import Defaults, device
from cost_models.prices import PriceBook

HOURS_PER_MONTH = 730.0
MILLION = 1e6
SERVING_SPEED_OF = "L40S"
"""The card that `serving_tokens_per_second` is about."""
LORA_FLOPS_PER_PARAMETER = 4.0
"""Forward 2 N and gradient of the inputs 2 N for every token; the frozen weights need no gradient of their own."""
USAGE = ("input", "output", "few_shot_tokens", "retrieved_tokens", "hosting", "reranking")
"""Terms that a single call is made of."""
NOT_COUNTED = [
    "Only the examples of a few-shot prompt are counted as cached.",
    "Compliance, contracts and the cost of wrong answers are not counted.",
    "That a host stops tuning altogether is not counted: after a retirement the tune is made again somewhere.",
]


@dataclass(frozen=True)
class Term:
    """One named part of the bill."""

    upfront: Array | float = 0.0
    monthly: Array | float = 0.0
    """At today's prices and volume; shape (draws, months + 1) where growth needs more cards."""
    step: Array | float = 0.0
    """Paid each time something is done again: a tune made anew, a prompt moved to the next model."""
    follows: Literal["", "calls", "tokens", "cards"] = ""
    """What the monthly part moves with: the calls, the calls and token prices, or card prices."""


Terms = dict[str, Term]


@dataclass(frozen=True)
class Steps:
    """When something is done again: first after `first` months, then every `period` months."""

    first: Array
    period: Array

    def count(self, months: Array) -> Array:
        """How often by each month, shape (draws, months)."""
        since = months[None, :] - self.first[:, None]
        return np.where(since >= 0, 1 + np.floor(since / self.period[:, None]), 0.0)


@dataclass(frozen=True)
class Setting:
    """What the terms are made of: the draws, a way to ask for prices, and the choices made from the answers."""

    x: dict[str, Array]
    usd: Callable[[str], float]
    """Amount of a price item, remembered as used."""
    book: PriceBook
    defaults: Defaults
    managed: str
    """Price items of the managed host, without the last part: `tune.azure.gpt-4.1-mini`."""
    own_machines: bool
    """True when no data may leave: then prompting and RAG run on a card of one's own too."""
    months: Array
    """0 to the horizon, shape (months + 1,)."""
    volume_growth: float = 0.0
    """Growth of the calls per year."""
    batch_share: float = 0.0
    """Share of the calls that are sent as a batch."""

    @property
    def growth(self) -> Array:
        """Factor on the calls by month, shape (months + 1,); 1 in the first month."""
        return np.asarray((1 + self.volume_growth) ** (np.maximum(self.months - 1, 0) / 12))

    @property
    def token_discount(self) -> Array:
        """Factor on token prices that batches bring, shape (draws,)."""
        return 1 - self.batch_share * self.x["batch_discount"]

    @property
    def volume(self) -> Array:
        """Calls a month, those made twice included."""
        return self.x["volume_per_month"] * (1 + self.x["retry_share"])

    @property
    def engineer_usd_per_hour(self) -> Array:
        """What an hour of an engineer costs."""
        return self.usd("engineer.hour") * self.x["engineer_rate_factor"]

    def hours(self, *names: str, every: str = "build") -> Array:
        """Engineer time in USD: `hours.<name>.<every>` of all names together."""
        return sum((self.x[f"hours.{name}.{every}"] for name in names), np.zeros(1)) * self.engineer_usd_per_hour

    @property
    def label_usd(self) -> Array:
        """One label: a large model's, a paid worker's or a careful person's, or something between."""
        prices = [self.usd(f"label.{who}") for who in ("llm", "crowd", "expert")]
        return np.interp(self.x["label_care"], [0.0, 1.0, 2.0], prices)

    @property
    def examples(self) -> Array:
        """Rows that a tune is made with: what is there, or what is needed."""
        return np.maximum(self.x["labelled_examples"], self.x["labels_needed"])

    @property
    def missing_labels(self) -> Array:
        """Rows that must be labelled before a tune."""
        return np.maximum(self.x["labels_needed"] - self.x["labelled_examples"], 0.0)

    @property
    def training_tokens(self) -> Array:
        """Tokens of one training run."""
        x = self.x
        row = x["input_tokens"] + x["output_tokens"] + x["tuned_instruction_tokens"]
        return self.examples * row * x["epochs"]


def prompting(s: Setting, *, examples: bool, retrieval: bool) -> Terms:
    """Zero-shot, few-shot and RAG with a model that is called over an API, or run on one's own card."""
    x = s.x
    kinds = ["prompt"] + (["examples"] if examples else []) + (["rag"] if retrieval else [])
    shots = x["few_shot_examples"] * (x["input_tokens"] + x["output_tokens"]) if examples else np.zeros(1)
    found = x["retrieved_tokens"] if retrieval else np.zeros(1)
    terms: Terms = {}
    if s.own_machines:
        kinds.append("serving")
        prompt = x["instruction_tokens"] + shots + found + x["input_tokens"]
        terms["hosting"] = Term(monthly=own_hosting_usd(s, prompt), follows="cards")
    else:
        model = f"api.{s.defaults.api_model}"
        price_in, price_out = s.usd(f"{model}.input") / MILLION, s.usd(f"{model}.output") / MILLION
        calls = s.volume * s.token_discount
        asked = x["instruction_tokens"] + x["input_tokens"]
        terms["input"] = Term(monthly=calls * asked * price_in, follows="tokens")
        terms["output"] = Term(monthly=calls * x["output_tokens"] * price_out, follows="tokens")
        if examples:
            terms["few_shot_tokens"] = Term(monthly=calls * shots * cached_price(s, shots), follows="tokens")
        if retrieval:
            terms["retrieved_tokens"] = Term(monthly=calls * found * price_in, follows="tokens")
        terms["migration"] = Term(step=x["hours.migration"] * s.engineer_usd_per_hour)
    if retrieval:
        terms |= retrieval_terms(s)
    terms["engineer_time"] = Term(upfront=s.hours(*kinds))
    terms["monitoring"] = Term(monthly=s.hours(*kinds, every="month"))
    terms["evaluation"] = evaluation(s)
    return terms


def cached_price(s: Setting, shots: Array) -> Array:
    """USD per token of the few-shot examples: cheaper when the prefix is long enough and calls come often enough.

    A prefix lives for some minutes after its last use; calls that arrive at random find it with probability
    1 - exp(-calls per minute x minutes).
    """
    model = f"api.{s.defaults.api_model}"
    full, cached = s.usd(f"{model}.input") / MILLION, s.usd(f"{model}.cached_input") / MILLION
    per_minute = s.volume / (HOURS_PER_MONTH * 60)
    hit = 1 - np.exp(-per_minute * s.x["cache_ttl_minutes"])
    long_enough = s.x["instruction_tokens"] + shots >= s.x["cache_min_tokens"]
    return np.where(long_enough, (1 - hit) * full + hit * cached, full)


def retrieval_terms(s: Setting) -> Terms:
    """What retrieval adds: embedding the text and each question, the vector store, sorting what was found again."""
    x = s.x
    per_token = s.usd(s.defaults.embedding) / MILLION
    reranked = s.volume * x["rerank_share"] * s.usd(s.defaults.reranking) / 1_000
    return {
        "embedding": Term(
            upfront=x["corpus_tokens"] * per_token,
            monthly=x["corpus_tokens"] * x["corpus_refresh_share"] * per_token,
        ),
        "question_embedding": Term(monthly=s.volume * x["input_tokens"] * per_token, follows="calls"),
        "vector_store": Term(monthly=s.usd(s.defaults.vector_store)),
        "reranking": Term(monthly=reranked, follows="calls"),
    }


def evaluation(s: Setting) -> Term:
    """Labels of a test set, where there is none."""
    return Term(upfront=s.x["eval_examples"] * s.label_usd)


def cards_needed(s: Setting, prompt_tokens: Array) -> Array:
    """Whole cards that carry the traffic at the utilisation that is real, and at least those that always run.

    Shape (draws,), or (draws, months + 1) where the calls grow. Writing an answer reads the weights once for each
    token of the batch, so another card is as much quicker as its memory is.
    """
    x = s.x
    row = s.book.row(s.defaults.serving_gpu)
    speed = x["serving_tokens_per_second"] * x["gpu_utilisation"] * row_speed(row.gpu)
    work = s.volume * (prompt_tokens * x["input_token_weight"] + x["output_tokens"])
    needed = work / (HOURS_PER_MONTH * 3600) / speed
    if s.volume_growth:
        return np.maximum(np.ceil(needed[:, None] * s.growth), x["replicas"][:, None])
    return np.maximum(np.ceil(needed), x["replicas"])


def row_speed(gpu: str) -> float:
    """Memory bandwidth of a card against the one that the serving speed was assumed for."""
    return device(gpu).gb_per_second / device(SERVING_SPEED_OF).gb_per_second


def own_hosting_usd(s: Setting, prompt_tokens: Array) -> Array:
    """A month of cards that run day and night; cards that are rented in one machine only are paid together."""
    together = s.book.row(s.defaults.serving_gpu).gpus
    cards = np.ceil(cards_needed(s, prompt_tokens) / together) * together
    return cards * HOURS_PER_MONTH * s.usd(s.defaults.serving_gpu)


def self_training_usd(s: Setting, runs: Array) -> Array:
    """Training runs on a rented card: tokens x 4 N FLOPs / (peak x share used), and the time around each run."""
    x = s.x
    gpu = s.book.row(s.defaults.training_gpu).gpu
    flops = LORA_FLOPS_PER_PARAMETER * x["base_parameters_billion"] * 1e9 * s.training_tokens
    hours = flops / (device(gpu).tflops * 1e12 * x["mfu.lora"]) / 3600
    return runs * (hours + x["run_overhead_hours"]) * s.usd(s.defaults.training_gpu)


def tuning(s: Setting, run_usd: Array, rerun_usd: Array) -> Terms:
    """What every tune has: labels, several training runs, and making it again."""
    again = (
        s.x["retrain_label_share"] * s.examples * s.label_usd
        + rerun_usd
        + s.x["hours.retrain"] * s.engineer_usd_per_hour
    )
    return {
        "labels": Term(upfront=s.missing_labels * s.label_usd),
        "training_runs": Term(upfront=run_usd),
        "evaluation": evaluation(s),
        "retrain": Term(step=again),
    }


def managed_tuning(s: Setting) -> Terms:
    """A hosted model tuned by its host: tokens trained, tokens used, and an hourly fee where the host takes one."""
    x = s.x
    one_run = s.training_tokens * s.usd(f"{s.managed}.training") / MILLION
    prompt = x["tuned_instruction_tokens"] + x["input_tokens"]
    hosting = s.usd(f"{s.managed}.hosting") * HOURS_PER_MONTH * x["tenants"]
    return {
        **tuning(s, one_run * x["training_runs"], one_run * x["retrain_runs"]),
        "input": Term(monthly=s.volume * prompt * s.usd(f"{s.managed}.input") / MILLION, follows="calls"),
        "output": Term(monthly=s.volume * x["output_tokens"] * s.usd(f"{s.managed}.output") / MILLION, follows="calls"),
        "hosting": Term(monthly=hosting),
        "engineer_time": Term(upfront=s.hours("prompt", "tune")),
        "monitoring": Term(monthly=s.hours("prompt", "tune", every="month")),
    }


def self_tuning(s: Setting, *, retrieval: bool) -> Terms:
    """An open model tuned and served on rented cards; one base serves many adapters, so tenants cost nothing more."""
    x = s.x
    kinds = ["prompt", "tune", "serving"] + (["rag"] if retrieval else [])
    found = x["retrieved_tokens"] if retrieval else np.zeros(1)
    prompt = x["tuned_instruction_tokens"] + found + x["input_tokens"]
    terms = {
        **tuning(s, self_training_usd(s, x["training_runs"]), self_training_usd(s, x["retrain_runs"])),
        "hosting": Term(monthly=own_hosting_usd(s, prompt), follows="cards"),
        "engineer_time": Term(upfront=s.hours(*kinds)),
        "monitoring": Term(monthly=s.hours(*kinds, every="month")),
    }
    return terms | retrieval_terms(s) if retrieval else terms


def pretraining(s: Setting) -> Terms:
    """A model of one's own: the GPU-hours of a small public one, a team for a year, then serving it."""
    x = s.x
    hours = s.usd(s.defaults.pretraining_hours) * x["pretraining_scale"]
    prompt = x["tuned_instruction_tokens"] + x["input_tokens"]
    return {
        "pretraining": Term(upfront=hours * s.usd(s.defaults.pretraining_gpu)),
        "labels": Term(upfront=s.missing_labels * s.label_usd),
        "hosting": Term(monthly=own_hosting_usd(s, prompt), follows="cards"),
        "engineer_time": Term(upfront=s.hours("pretraining", "tune", "serving")),
        "monitoring": Term(monthly=s.hours("pretraining", "tune", "serving", every="month")),
        "evaluation": evaluation(s),
    }


def terms_of(s: Setting) -> dict[ApproachId, Terms]:
    """The bill of every approach."""
    return {
        "zero_shot": prompting(s, examples=False, retrieval=False),
        "few_shot": prompting(s, examples=True, retrieval=False),
        "rag": prompting(s, examples=False, retrieval=True),
        "ft_managed": managed_tuning(s),
        "ft_self": self_tuning(s, retrieval=False),
        "rag_plus_ft": self_tuning(s, retrieval=True),
        "from_scratch": pretraining(s),
    }
