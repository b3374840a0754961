"""Baseline first: the base and its best prompt are asked before the training, and never twice."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from backends.chain import baseline, estimate_chain, estimates, is_baseline, judge_spec, tune_specs
from core.home import new_id
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from evaluation.judged_model import Opened
from evaluation.report import EvaluationReport, ModelName, read_report
from evaluation.run import run_evaluation
from tests.evaluation.conftest import RuleModel, RuleRenderer, right_answer, write_tickets

MEASURED = ("created_at", "seconds_per_answer")


@pytest.fixture
def tickets(tmp_path: Path) -> JobSpec:
    """A tune of tickets that is judged on the task, on general knowledge and on refusals."""
    return JobSpec(
        name="Tickets",
        axes=["task", "knowledge", "over_refusal"],
        n=20,
        device="cpu",
        latency_ms=2000,
        dataset=str(write_tickets(tmp_path / "train.jsonl", range(100, 160))),
        validation=str(write_tickets(tmp_path / "validation.jsonl", range(200, 212))),
        test=str(write_tickets(tmp_path / "test.jsonl", range(300, 340))),
    )


def judged(spec: JobSpec, base: Path) -> tuple[RuleModel, EvaluationReport]:
    """A judgement by a model that counts how often it is asked."""
    model = RuleModel(lambda prompt, tuned: right_answer(prompt) if tuned and "MAT-" in prompt else "no")
    run = RunFolder.create(new_id("job"), spec)
    run_evaluation(spec, run, lambda: False, lambda *_: Opened(model, RuleRenderer(), base))
    return model, read_report(run.evaluation_file)


def weights(folder: Path) -> Path:
    """Weights that no other folder has."""
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    for name in ("model", "adapter_model"):
        (folder / f"{name}.safetensors").write_bytes(folder.name.encode())
    return folder


def test_what_the_baseline_has_answered_is_not_computed_again_by_the_judge(tickets: JobSpec, tmp_path: Path) -> None:
    base, adapter, like_it = (weights(tmp_path / name) for name in ("base", "adapter", "like_it"))
    first, _, last = tune_specs(tickets.model_copy(update={"latency_ms": None}))
    before, told = judged(first, base)
    after, report = judged(last.model_copy(update={"adapter": str(adapter)}), base)
    alone, _ = judged(last.model_copy(update={"adapter": str(like_it), "models": ["tuned"]}), base)
    assert list(told.models) == ["base", "best_prompt"] and list(report.models) == ["base", "best_prompt", "tuned"]
    assert set(told.axes) == set(report.axes) == {"knowledge", "over_refusal"}
    assert before.asked > alone.asked > 20
    assert after.asked == alone.asked, "the judge asked more than the tuned model"
    for name in told.models:
        assert report.models[name] == told.models[name]
    assert [each.answers["best_prompt"] for each in report.answers] == [
        each.answers["best_prompt"] for each in told.answers
    ]
    assert report.prompt == told.prompt


def test_the_baseline_asks_what_the_judge_will_ask_and_times_nothing(tickets: JobSpec) -> None:
    first, train, last = tune_specs(tickets)
    apart = {"name", "models", "latency_ms"}
    assert first.model_dump(exclude=apart) == last.model_dump(exclude=apart)
    assert (first.latency_ms, last.latency_ms) == (None, 2000)
    assert [each.name for each in (first, train, last)] == ["Tickets: baseline", "Tickets", "Tickets: judge"]
    assert [is_baseline(each) for each in (first, train, last)] == [True, False, False]
    everybody = set(get_args(ModelName))
    assert set(first.models or []) == everybody - {"tuned"}, "a model of the judge is not asked before the tune"


def test_only_what_is_to_be_judged_is_asked_first(tickets: JobSpec) -> None:
    (some,) = baseline(tickets.model_copy(update={"models": ["base", "tuned"]}))
    assert some.models == ["base"]
    assert baseline(tickets.model_copy(update={"models": ["tuned"]})) == []


def test_the_time_of_the_base_is_counted_once(tickets: JobSpec) -> None:
    def seconds(*specs: JobSpec) -> list[float]:
        return [each.seconds.likely or 0.0 for each in estimates(list(specs))]

    chain = tune_specs(tickets)
    first, train, last = seconds(*chain)
    (alone,) = seconds(judge_spec(tickets))
    models = [seconds(chain[0].model_copy(update={"models": ["base"] * count}))[0] for count in (1, 2)]
    (start,) = (2 * one - two for one, two in [models])
    assert 0 < start < last < first < alone
    assert first + last == pytest.approx(alone + start, abs=0.5), "two starts, and three models asked once each"
    assert estimate_chain(chain).seconds.likely == pytest.approx(first + train + last)


def test_of_several_tunes_none_is_taken_for_the_other(tickets: JobSpec) -> None:
    judges = [judge_spec(tickets).model_copy(update={"models": ["tuned"]}) for _ in range(2)]
    one, other = estimates(judges)
    assert one == other == estimates(judges[:1])[0]
