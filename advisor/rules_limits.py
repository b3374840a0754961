"""Rules about what a team may, can and dares to do: privacy, money, people, the calendar, the cost of mistakes."""

from __future__ import annotations

from advisor.facts import Facts
from advisor.rule import Rule

GIANT_TOKENS = 1e11
GIANT_FTE = 10
CONTINUED_TOKENS = 1e9
"""Own text from which training an open model further teaches it something."""


def giant(facts: Facts) -> bool:
    """Those few who could train a model from scratch."""
    enough_text = facts.own_text_tokens >= GIANT_TOKENS
    return facts.budget == "very_large" and enough_text and facts.team_ml_fte >= GIANT_FTE


def within_a_year(facts: Facts) -> bool:
    """The models of the managed host go within twelve months."""
    return facts.calendar is not None and facts.calendar.months_left is not None and facts.calendar.months_left < 12


RULES = (
    Rule(
        id="strict_privacy",
        when=lambda f: f.privacy == "strict",
        because="Data may never leave your machines: a model behind somebody else's API is ruled out.",
        uses=("privacy",),
        threshold="privacy is strict",
        source="judgement",
        veto=("zero_shot", "ft_managed"),
        points={"ft_self": 10, "rag": 10, "rag_plus_ft": 10},
        note="Examples in a prompt and retrieval are still open to you, with an open model on your own machines.",
    ),
    Rule(
        id="high_privacy",
        when=lambda f: f.privacy == "high",
        because="Privacy is high: every host that sees your data needs a contract, your own machines do not.",
        uses=("privacy",),
        threshold="privacy is high",
        source="judgement",
        points={"zero_shot": -10, "few_shot": -10, "ft_managed": -20, "ft_self": 10},
    ),
    Rule(
        id="small_budget",
        when=lambda f: f.budget in ("none", "small"),
        because="The first year may cost up to 2,000 dollars: hosting a model day and night costs more.",
        uses=("budget",),
        threshold="budget none or small",
        source="judgement",
        points={"zero_shot": 10, "rag": -10, "ft_managed": -20, "ft_self": -20, "rag_plus_ft": -30},
    ),
    Rule(
        id="nobody_to_run_it",
        when=lambda f: f.team_ml_fte < 0.5,
        because="{team_ml_fte:g} people to run and watch models: a server of your own needs more.",
        uses=("team_ml_fte",),
        threshold="team_ml_fte < 0.5",
        source="self_host",
        points={"ft_self": -20, "rag_plus_ft": -20, "from_scratch": -30},
    ),
    Rule(
        id="people_to_run_it",
        when=lambda f: f.team_ml_fte >= 2,
        because="{team_ml_fte:g} people can run and watch models of your own.",
        uses=("team_ml_fte",),
        threshold="team_ml_fte >= 2",
        source="self_host",
        points={"ft_self": 10, "rag_plus_ft": 10},
    ),
    Rule(
        id="only_for_giants",
        when=lambda f: not giant(f),
        because="Training from scratch takes millions of dollars, billions of tokens of your own and a year of a team.",
        uses=("budget", "own_text_tokens", "team_ml_fte"),
        threshold="budget below very_large, own text under 100 billion tokens, or fewer than 10 people",
        source="scratch",
        points={"from_scratch": -80},
    ),
    Rule(
        id="a_giant",
        when=giant,
        because="{own_text_tokens:,.0f} tokens of your own, {team_ml_fte:g} people and the money: a model of your own "
        "is possible.",
        uses=("budget", "own_text_tokens", "team_ml_fte"),
        threshold="budget very_large, own text of 100 billion tokens or more, 10 people or more",
        source="own_model",
        points={"from_scratch": 40},
    ),
    Rule(
        id="no_open_model_will_do",
        when=lambda f: giant(f) and f.good_enough is False and f.switch_gap == "ability",
        because="Prompting reaches {prompt_percent:.0f} % and ability is missing: with your means a model can be made "
        "that has it.",
        uses=("budget", "own_text_tokens", "team_ml_fte", "prompt_quality", "target_quality", "switch_gap"),
        threshold="as a_giant, target not reached, switch_gap is ability",
        source="own_model",
        points={"from_scratch": 30},
    ),
    Rule(
        id="own_text_teaches",
        when=lambda f: (
            f.own_text_tokens >= CONTINUED_TOKENS and f.switch_gap == "ability" and f.budget in ("large", "very_large")
        ),
        because="{own_text_tokens:,.0f} tokens of your own: an open model that is trained further on them, in full, "
        "learns what a small tune cannot teach.",
        uses=("own_text_tokens", "switch_gap", "budget"),
        threshold="own text of 1 billion tokens or more, switch_gap is ability, budget large or more",
        source="custom_models",
        points={"ft_self": 30},
    ),
    Rule(
        id="no_host_is_open",
        when=lambda f: f.calendar is not None and not f.calendar.open_hosts,
        because="On {today} no managed host in our price book takes new tuning jobs.",
        uses=(),
        threshold="no host in the price book takes new jobs on that day",
        source="deprecations",
        veto=("ft_managed",),
    ),
    Rule(
        id="openai_closes",
        when=lambda f: (
            f.calendar is not None
            and f.calendar.openai_last_day is not None
            and (f.calendar.openai_last_day - f.calendar.today).days <= 365
        ),
        because="OpenAI takes no new tuning jobs after {openai_last_day}, and none now from teams that never tuned "
        "there; its tuned models end on {openai_retires}.",
        uses=(),
        threshold="within a year before OpenAI's last day for new jobs, and after it",
        source="deprecations",
        points={"ft_managed": -10},
    ),
    Rule(
        id="host_retires_soon",
        when=within_a_year,
        because="The host's models are shut down on {retires}: a tune made today lives {months_left:.1f} months.",
        uses=(),
        threshold="less than 12 months until the managed host's base models are shut down",
        source="deprecations",
        points={"ft_managed": -20},
    ),
    Rule(
        id="mistakes_are_costly",
        when=lambda f: f.stakes == "high",
        because="A wrong answer is costly: prefer answers that can be checked against what was fetched.",
        uses=("stakes",),
        threshold="stakes is high",
        source="judgement",
        points={"rag": 10, "rag_plus_ft": 10, "zero_shot": -10},
        note="Let a person decide: show the answer with its evidence, and measure how often it is wrong.",
    ),
)
