from __future__ import annotations

from datetime import date
from pathlib import Path

from advisor.advise import advise
from advisor.launch import suggest_launch, tune_spec
from advisor.rules import RULES, table
from advisor.spectrum import fitting_models, spectrum
from core.answers import APPROACHES, Answers
from core.jobspec import DEFAULT_BASE_MODEL
from core.plan import DataRef
from cost_models.curves import cost

TODAY = date(2026, 11, 24)
DATA = DataRef(
    name="tickets.jsonl", train="t.jsonl", validation="v.jsonl", test="h.jsonl", sha256="0" * 64, rows=400,
    train_rows=280, validation_rows=40, test_rows=80,
)  # fmt: skip
VOICE = Answers(
    task_kind="style",
    knowledge_need="low",
    format_strictness="high",
    labelled_examples=800,
    prompt_tried="long_few_shot",
)


def test_the_table_has_a_row_in_plain_words_for_every_approach() -> None:
    rows = spectrum()
    assert [row.approach for row in rows] == list(APPROACHES)
    assert all(row.pros and row.cons and row.effort and row.control and row.performance and row.when for row in rows)


def test_the_table_carries_this_team_s_verdict_and_figures() -> None:
    report = cost(VOICE, today=TODAY)
    rows = {row.approach: row for row in spectrum(advise(VOICE, today=TODAY, cost=report), report)}
    assert rows["ft_self"].verdict == "recommended"
    assert rows["ft_self"].why
    assert rows["from_scratch"].upfront_usd == report.upfront_usd["from_scratch"]


def test_models_fit_by_language_context_speed_and_budget() -> None:
    everything = fitting_models(Answers())
    assert all(fit.fits for fit in everything)
    assert everything[0].model == DEFAULT_BASE_MODEL
    japanese = {fit.model for fit in fitting_models(Answers(languages=["ja", "de"])) if fit.fits}
    assert "Qwen/Qwen2.5-1.5B-Instruct" in japanese
    assert DEFAULT_BASE_MODEL not in japanese
    quick = [fit for fit in fitting_models(Answers(latency_ms=200)) if fit.fits]
    assert max(fit.params_billion for fit in quick) < 2
    long = [fit for fit in fitting_models(Answers(input_tokens=100_000)) if fit.fits]
    assert min(fit.context for fit in long) > 100_000
    cheap = [fit for fit in fitting_models(Answers(budget="small")) if fit.fits]
    assert max(fit.params_billion for fit in cheap) <= 4


def test_a_model_that_does_not_fit_says_why_and_one_that_does_names_its_licence() -> None:
    fits = {fit.model: fit for fit in fitting_models(Answers(languages=["ja"]))}
    assert "ja" in fits[DEFAULT_BASE_MODEL].because[0]
    llama = {fit.model: fit for fit in fitting_models(Answers())}["meta-llama/Llama-3.1-8B-Instruct"]
    assert any("licence" in words for words in llama.because)


def test_a_tune_gets_a_job_with_the_paths_of_the_rows() -> None:
    found = suggest_launch(VOICE, advise(VOICE, today=TODAY), DATA)
    assert found.kind == "tune"
    assert found.spec is not None
    assert (found.spec.dataset, found.spec.validation, found.spec.test) == ("t.jsonl", "v.jsonl", "h.jsonl")
    assert (found.spec.kind, found.spec.method.rank, found.spec.epochs) == ("train", 16, 3.0)


def test_rank_and_passes_follow_the_number_of_rows() -> None:
    settings = [tune_spec(Answers(), rows)[0] for rows in (100, 1_000, 50_000)]
    assert [(spec.method.rank, spec.epochs) for spec in settings] == [(8, 5.0), (16, 3.0), (32, 1.0)]
    assert all(spec.method.alpha == 2 * spec.method.rank for spec in settings)


def test_long_rows_are_not_cut_at_512_tokens() -> None:
    assert tune_spec(Answers(input_tokens=900), 500)[0].max_tokens == 2048


def test_prompting_is_measured_and_not_trained() -> None:
    found = suggest_launch(Answers(), advise(Answers(), today=TODAY), DATA)
    assert (found.kind, found.button) == ("measure", "Measure it on your rows")
    assert found.spec is not None
    assert (found.spec.kind, found.spec.models) == ("evaluate", ["base", "best_prompt"])


def test_rag_hands_over_a_checklist() -> None:
    answers = Answers(knowledge_need="very_high", knowledge_freshness="daily")
    found = suggest_launch(answers, advise(answers, today=TODAY))
    assert found.kind == "checklist"
    assert found.spec is None
    assert len(found.checklist) >= 3


def test_a_strict_format_adds_the_checklist_of_constrained_output() -> None:
    answers = Answers(task_kind="sql", format_strictness="very_high", prompt_tried="zero_shot")
    assert any("schema" in step for step in suggest_launch(answers, advise(answers, today=TODAY)).checklist)


def test_every_rule_stands_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "advise.md").read_text(encoding="utf-8")
    assert table() in text, "docs/advise.md: replace the tables by the output of advisor.rules.table()"
    assert all(f"`{rule.id}`" in text for rule in RULES)
