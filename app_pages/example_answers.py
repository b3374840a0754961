"""Three examples to start from, so that an empty page is no dead end. Written by us."""

from __future__ import annotations

from dataclasses import dataclass

from core.answers import Answers


@dataclass(frozen=True)
class Example:
    """A team's answers, told short."""

    name: str
    about: str
    icon: str
    answers: Answers


EXAMPLES = (
    Example(
        "Course catalogue questions",
        "Facts that change each term",
        ":material/school:",
        Answers(
            task="Answer students' questions about our course catalogue: enrolment rules, prerequisites, deadlines.",
            task_kind="qa",
            knowledge_need="very_high",
            knowledge_freshness="seasonal",
            volume_per_month=20_000,
            labelled_examples=60,
            format_strictness="low",
            privacy="medium",
            budget="small",
            prompt_tried="zero_shot",
            citations=True,
            input_tokens=60,
            output_tokens=180,
        ),
    ),
    Example(
        "E-mails in the house's voice",
        "One voice, many letters",
        ":material/mail:",
        Answers(
            task="Write replies to customers about late parcels and returns in our house's warm, brisk voice.",
            task_kind="style",
            knowledge_need="low",
            knowledge_freshness="static",
            volume_per_month=150_000,
            labelled_examples=2_400,
            format_strictness="very_high",
            privacy="medium",
            budget="large",
            prompt_tried="long_few_shot",
            prompt_quality=0.72,
            target_quality=0.92,
            has_eval_set=True,
            label_quality="checked",
            input_tokens=180,
            output_tokens=220,
            team_ml_fte=1,
        ),
    ),
    Example(
        "Messages into tickets",
        "Free text to strict JSON",
        ":material/confirmation_number:",
        Answers(
            task="Turn messages to the course office into our ticket: a JSON object with topic, urgency and fields.",
            task_kind="extract",
            knowledge_need="low",
            knowledge_freshness="slow",
            volume_per_month=400_000,
            labelled_examples=320,
            format_strictness="very_high",
            privacy="strict",
            budget="medium",
            prompt_tried="few_shot",
            prompt_quality=0.55,
            target_quality=0.9,
            has_eval_set=True,
            input_tokens=120,
            output_tokens=60,
            portability=True,
            team_ml_fte=1,
        ),
    ),
)
