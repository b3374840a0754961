"""Rules about volume, waiting time, tenants and languages. As volume grows, none speaks against self-hosting."""

from __future__ import annotations

from advisor.rule import Rule

RULES = (
    Rule(
        id="low_volume",
        when=lambda f: f.volume_per_month < 10_000,
        because="{volume_per_month:,.0f} calls a month are few: nothing that has to be built pays back.",
        uses=("volume_per_month",),
        threshold="volume_per_month < 10,000",
        source="lecture",
        points={
            "zero_shot": 10, "few_shot": 10, "ft_managed": -10, "ft_self": -20, "rag_plus_ft": -20, "from_scratch": -20,
        },
    ),
    Rule(
        id="high_volume",
        when=lambda f: f.volume_per_month >= 100_000,
        because="{volume_per_month:,.0f} calls a month: what is saved on each call begins to count.",
        uses=("volume_per_month",),
        threshold="volume_per_month >= 100,000",
        source="lecture",
        points={"ft_managed": 10, "ft_self": 20, "rag_plus_ft": 10, "few_shot": -10},
    ),
    Rule(
        id="very_high_volume",
        when=lambda f: f.volume_per_month >= 1_000_000,
        because="{volume_per_month:,.0f} calls a month can fill cards of your own.",
        uses=("volume_per_month",),
        threshold="volume_per_month >= 1,000,000",
        source="self_host",
        points={"ft_self": 20, "rag_plus_ft": 10, "few_shot": -10},
    ),
    Rule(
        id="huge_volume",
        when=lambda f: f.volume_per_month >= 10_000_000,
        because="{volume_per_month:,.0f} calls a month: per-token prices lose to hosting, whatever the model.",
        uses=("volume_per_month",),
        threshold="volume_per_month >= 10,000,000",
        source="self_host",
        points={"ft_self": 20, "rag_plus_ft": 10, "zero_shot": -10, "few_shot": -10},
    ),
    Rule(
        id="long_prompts_at_volume",
        when=lambda f: f.prompt_tried == "long_few_shot" and f.volume_per_month >= 100_000,
        because="Long prompts at {volume_per_month:,.0f} calls a month: a tuned model needs no examples in front.",
        uses=("prompt_tried", "volume_per_month"),
        threshold="prompt_tried is long_few_shot, 100,000 calls a month",
        source="prompt_tokens",
        points={"ft_managed": 10, "ft_self": 10, "few_shot": -10},
    ),
    Rule(
        id="quick_answers",
        when=lambda f: f.latency_ms is not None and f.latency_ms <= 500,
        because="An answer within {latency_ms:,} ms: a small model close by, with a short prompt.",
        uses=("latency_ms",),
        threshold="latency_ms <= 500",
        source="narrow",
        points={"ft_self": 20, "few_shot": -10, "rag": -10, "rag_plus_ft": -10},
    ),
    Rule(
        id="many_tenants",
        when=lambda f: f.tenants >= 5,
        because="{tenants:,} customers or variants: one base serves an adapter for each, a host takes a fee for each.",
        uses=("tenants",),
        threshold="tenants >= 5",
        source="adapters",
        points={"ft_self": 10, "ft_managed": -10},
        variant=("ft_self", "multi_lora"),
    ),
    Rule(
        id="several_languages",
        when=lambda f: len(f.languages or ()) >= 3,
        because="{language_count} languages: large models speak more of them than small ones.",
        uses=("languages",),
        threshold="three languages or more",
        source="judgement",
        points={"zero_shot": 10, "few_shot": 10, "rag": 10, "ft_self": -10},
    ),
)  # fmt: skip
