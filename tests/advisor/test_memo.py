"""The decision memo: what it says, and that it can be set whatever people wrote."""

from __future__ import annotations

import logging
import re
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest
from fpdf import FPDF

from advisor.advise import advise
from advisor.memo import Memo, markdown
from advisor.memo_chart import spread
from advisor.memo_pdf import memo_pdf
from advisor.memo_sheet import NO_GLYPH
from advisor.memo_words import LABELS, day, number, usd, value_of
from advisor.memo_write import write_memo
from core.answers import APPROACHES, Answers
from core.plan import EvaluationPlan, Plan
from cost_models.curves import cost
from evaluation.llm_summary import LlmSummary
from evaluation.report import EvaluationReport
from evaluation.stats import Interval

TODAY = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
VOICE = Answers(
    task="Write replies to customers in our house's warm, brisk voice.", task_kind="style", knowledge_need="low",
    format_strictness="very_high", volume_per_month=150_000, labelled_examples=2_400, budget="large",
    prompt_tried="long_few_shot", prompt_quality=0.72, target_quality=0.92, has_eval_set=True, label_quality="checked",
    input_tokens=180, output_tokens=220, team_ml_fte=1,
)  # fmt: skip
NAMES = {"base": 0.1, "best_prompt": 0.6, "tuned": 0.8}


def plan_of(answers: Answers = VOICE, **fields: Any) -> Plan:
    """A plan that nobody has decided."""
    return Plan.model_validate(
        {
            "id": "plan-20261125-1a2b3c4d",
            "name": "House voice",
            "answers": answers,
            "created_at": NOW,
            "updated_at": NOW,
        }
        | fields
    )


def decided(answers: Answers = VOICE, **fields: Any) -> Plan:
    """A plan as the launch panel keeps it."""
    report = cost(answers, today=TODAY)
    advice = advise(answers, today=TODAY, cost=report)
    kept = {
        "recommendation": advice.recommendation,
        "ranking": [row.model_dump(mode="json") for row in advice.ranking],
        "prices_used": [row.model_dump(mode="json") for row in report.prices],
        "cost_summary": {
            "months": report.months[-1],
            "usd_p50": {name: band.p50[-1] for name, band in report.curves.items()},
            "today": TODAY.isoformat(),
        },
        "decided_by": "Ada Łukasiewicz",
        "decided_at": NOW,
    }
    return plan_of(answers, **(kept | fields))


def judged() -> EvaluationReport:
    interval = {name: {"task": Interval(score=at, low=at - 0.05, high=at + 0.05, n=112)} for name, at in NAMES.items()}
    return EvaluationReport(
        verdict="ship", reasons=["The tuned model is better than the best prompt."], metric="exact_match",
        metric_words="exact match", models=interval, base_model="a/b", test_file="t.jsonl", test_sha256="0", rows=112,
        rows_in_file=112, seed=7, created_at=NOW, llm_judge=LlmSummary(
            judge="large at judge.example", rubric="marks 1", n=300, words="The LLM judge marked 300 answers.",
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def memo() -> Memo:
    planned = EvaluationPlan(metric="exact match", rows=112, models=list(NAMES), success="It wins.", written_at=NOW)
    return write_memo(decided(evaluation_plan=planned), today=TODAY, evaluation=judged())


def test_the_memo_says_what_was_decided_by_whom_and_how_it_was_judged(memo: Memo) -> None:
    text = markdown(memo)
    best = advise(VOICE, today=TODAY, cost=cost(VOICE, today=TODAY)).recommendation
    assert f"**Recommended: {APPROACHES[best]}" in text
    assert "Decided on 25 Nov 2026 by Ada Łukasiewicz. Verdict of the judge: ship it." in text
    assert "| tuned | 0.80 | 0.75 to 0.85 |" in text and "It wins." in text
    assert memo.findings[-1] == "The LLM judge marked 300 answers." and memo.findings[-1] in text
    assert memo.caveats == [], "nothing has changed between the decision and the memo"


def test_every_section_has_words_in_it(memo: Memo) -> None:
    headed = re.findall(r"^## (.+)\n\n(?!##)(.)", markdown(memo), re.MULTILINE)
    assert [title for title, _ in headed] == re.findall(r"^## (.+)$", markdown(memo), re.MULTILINE)
    assert {"Why", "Ranking", "What would change it", "Prices", "Not counted", "Answers given", "Reminders"} <= {
        title for title, _ in headed
    }


def test_reasons_carry_points_and_a_source_that_was_read_on_a_day(memo: Memo) -> None:
    assert len(memo.reasons) > 2
    for reason in memo.reasons:
        assert re.search(r"\d", reason.points) and re.search(r"; checked \d+ \w+ 20\d\d", reason.source)


def test_the_ranking_and_the_prices_are_all_there(memo: Memo) -> None:
    assert {row.name for row in memo.ranking} == set(APPROACHES.values())
    report = cost(VOICE, today=TODAY)
    assert [row.label for row in memo.prices] == [row.label for row in report.prices]
    assert all(row.source and row.checked and re.match(r"\$?[\d,.]+ \w", row.amount) for row in memo.prices)
    assert {row.amount.startswith("$") for row in memo.prices if "per" in row.amount} == {True}


def test_the_chart_draws_what_the_curves_say(memo: Memo) -> None:
    report = cost(VOICE, today=TODAY)
    by_name = {line.name: line for line in memo.chart.lines}
    assert APPROACHES["from_scratch"] not in by_name and len(by_name) == len(APPROACHES) - 1
    (best,) = [line for line in memo.chart.lines if line.recommended]
    assert best.usd == report.curves[next(key for key, name in APPROACHES.items() if name == best.name)].p50
    for mark in memo.chart.break_even:
        assert 0 < mark.month <= report.months[-1]
        before, after = int(mark.month), min(int(mark.month) + 1, report.months[-1])
        curves = [line.usd for line in memo.chart.lines]
        assert any(min(usd[before], usd[after]) <= mark.usd <= max(usd[before], usd[after]) for usd in curves)
        assert "month" in mark.says
    assert len(memo.chart.dates) == len({event.date for event in report.events if event.date})


def test_one_approach_far_above_the_others_is_named_and_not_drawn() -> None:
    tenants = VOICE.model_copy(update={"tenants": 60})
    report = cost(tenants, today=TODAY)
    ends = sorted((band.p50[-1], name) for name, band in report.curves.items() if name != "from_scratch")
    assert ends[-1][0] > 4 * ends[-2][0], "sixty hosted models are no longer far above: take another case"
    memo = write_memo(plan_of(tenants), today=TODAY)
    assert APPROACHES[ends[-1][1]] not in {line.name for line in memo.chart.lines}
    assert any("Not drawn" in text and usd(ends[-1][0]) in text for text in memo.cost_words)


def test_a_plan_that_nobody_decided_gets_a_memo_that_says_so() -> None:
    memo = write_memo(plan_of(Answers()), today=TODAY)
    text = markdown(memo)
    assert "Not decided yet." in text and "Nobody has written the task down yet." in text
    assert memo.figures_of == TODAY and memo.reminders == [] and memo.assumed and memo.questions


def test_an_old_decision_is_shown_as_it_was_taken_and_what_differs_now_is_said() -> None:
    then = decided()
    changed = then.model_copy(
        update={
            "answers": Answers(task_kind="qa", knowledge_need="very_high", knowledge_freshness="daily", citations=True)
        }
    )
    memo = write_memo(changed, today=date(2027, 11, 25))
    assert memo.figures_of == TODAY and memo.written == date(2027, 11, 25)
    assert memo.ranking == write_memo(then, today=TODAY).ranking or memo.ranking[0].name == APPROACHES["ft_self"]
    assert any("now lead to RAG" in text for text in memo.caveats)
    assert memo.recommendation.startswith(APPROACHES["ft_self"])


def test_a_total_that_is_no_longer_drawn_the_same_is_said() -> None:
    plan = decided()
    summary = plan.cost_summary | {"usd_p50": {str(plan.recommendation): 1.0}}
    (said,) = write_memo(plan.model_copy(update={"cost_summary": summary}), today=TODAY).caveats
    assert "where the decision saw $1" in said


def test_a_ranking_or_an_override_that_no_version_knows_any_more_does_not_stop_the_memo() -> None:
    plan = decided(ranking=[{"approach": "prayer"}], price_overrides={"gone.with.the.wind": 3.0})
    memo = write_memo(plan, today=TODAY)
    assert len(memo.ranking) == len(APPROACHES)
    assert any("gone.with.the.wind" in reminder.says for reminder in memo.reminders)


def test_what_people_write_cannot_break_the_markdown() -> None:
    answers = VOICE.model_copy(update={"task": "# a | b\n\n- c <b>*d*</b>", "domain": "[x](http://y) | `z`"})
    text = markdown(write_memo(plan_of(answers, name="a | *b*"), today=TODAY))
    assert "# a \\| \\*b\\*" in text and "\\# a \\| b - c \\<b\\>\\*d\\*\\</b\\>" in text
    for table in re.findall(r"(?:^\|.*\|$\n?)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table


def test_every_answer_has_a_label_and_words(memo: Memo) -> None:
    assert set(Answers.model_fields) <= set(LABELS)
    assert value_of("budget", "small") == "up to $2,000" and value_of("prompt_quality", 0.72) == "72 %"
    assert value_of("has_eval_set", True) == "yes" and value_of("languages", ["de", "en"]) == "de, en"
    assert value_of("domain", "e_commerce") == "e_commerce"
    said = {each.label: each.value for each in memo.answers}
    assert said["Calls per month"] == "150,000" and "Task" not in said


@pytest.mark.parametrize(
    ("amount", "words"),
    [(None, "unknown"), (0, "$0"), (0.00213, "$0.00213"), (42.4, "$42"), (12345, "$12,300"), (-1650.7, "-$1,650"),
     (1_254_000, "$1.25 million"), (3.2e9, "$3.2 billion")],
)  # fmt: skip
def test_dollars_show_the_digits_that_count(amount: float | None, words: str) -> None:
    assert usd(amount) == words


def test_days_and_numbers_in_words() -> None:
    assert day(TODAY) == day("2026-11-25") == "25 Nov 2026" and day("soon") == "soon"
    assert [number(value) for value in (3, 0.0421, 12345.6)] == ["3", "0.0421", "12,346"]


def test_labels_at_the_line_ends_keep_their_order_and_their_distance() -> None:
    moved = spread([0.5, 0.5, 0.02, 0.99, 1.0], 0.1)
    order = sorted(moved)
    assert all(high - low >= 0.1 - 1e-9 for low, high in pairwise(order))
    assert moved[2] == min(moved) and moved[4] == max(moved) <= 1.0


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf))


def test_the_pdf_has_two_pages_and_is_the_same_each_time(memo: Memo) -> None:
    first = memo_pdf(memo)
    assert first.startswith(b"%PDF-") and pages(first) == 2
    assert b"/Subtype /Image" in first and b"DejaVuSans" in first
    assert memo_pdf(memo) == first


def test_whatever_people_wrote_the_pdf_is_set_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    odd = "Zoë's 🚀 plan → 日本 العربية \u200d\ufe0f fi {nb} **b**"
    answers = VOICE.model_copy(
        update={"task": ("x" * 50 + " 🦄 ") * 70, "domain": "x" * 200, "languages": ["日本"] * 40}
    )
    plan = decided(answers, name=odd * 3, decided_by=odd)
    with caplog.at_level(logging.WARNING):
        assert pages(memo_pdf(write_memo(plan, today=TODAY))) == 2
    assert not caplog.records


def test_the_pdf_says_what_the_memo_says_and_marks_what_it_shortened(
    memo: Memo, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    set_lines = FPDF.multi_cell

    def watch(self: FPDF, w: float, h: float | None = None, text: str = "", *more: Any, **words: Any) -> Any:
        drawn.append(text)
        return set_lines(self, w, h, text, *more, **words)

    monkeypatch.setattr(FPDF, "multi_cell", watch)
    long = memo.model_copy(update={"task": "why 🚀 " * 500})
    memo_pdf(long)
    text = "\n".join(drawn)
    for wanted in (memo.recommendation, memo.headline, memo.decision, memo.reasons[0].source, memo.ranking[-1].name,
                   memo.flips[0], memo.tornado[0].says, memo.prices[0].label, "0.75 to 0.85"):  # fmt: skip
        assert wanted in text, wanted
    assert f"why {NO_GLYPH} why" in text and "…" in text and "🚀" not in text
