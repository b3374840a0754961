"""A judgement with a hosted judge: its marks stand beside the report, and a host that fails costs nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.errors import EngineError, ProblemsFound
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from evaluation.llm_marks import read_marks
from evaluation.report import read_report
from evaluation.run import run_evaluation

from .chat_host import ChatHost
from .conftest import RuleModel, right_answer
from .test_llm_judge import strict_reader


@pytest.fixture
def host() -> Iterator[ChatHost]:
    found = ChatHost(strict_reader)
    yield found
    found.close()


def test_a_judge_that_fails_half_way_is_asked_only_for_the_rest_and_no_model_twice(
    host: ChatHost, tickets: JobSpec, open_rule: Any, run: Callable[[JobSpec], RunFolder]
) -> None:
    spec = tickets.model_copy(update={"judge": f"{host.url}#house/judge"})
    model = RuleModel(lambda prompt, tuned: right_answer(prompt) if tuned else f"Hello, {len(prompt)}.")
    folder = run(spec)
    host.fail = lambda number, body: (401, {}, b"") if number >= 5 else None
    with pytest.raises(EngineError, match="401"):
        run_evaluation(spec, folder, lambda: False, open_rule(model))
    asked, marked = model.asked, len(host.bodies)
    assert read_marks(folder) is None and not folder.evaluation_file.exists() and marked >= 4
    host.fail = lambda number, body: None
    run_evaluation(spec, folder, lambda: False, open_rule(model))
    shown = [body["messages"][-1]["content"] for body in host.bodies]
    assert model.asked == asked and len(shown) == len(set(shown)) > marked
    found, report = read_marks(folder), read_report(folder.evaluation_file)
    assert found is not None and set(found.models) == {"base", "best_prompt", "tuned"}
    assert (found.models["tuned"].mean, found.models["base"].mean) == (5.0, 2.0)
    assert report.models["tuned"]["task"].score == 1.0 and report.verdict == "ship"
    assert report.llm_judge is not None and report.llm_judge.n == 120
    assert report.llm_judge.with_metric is not None and report.llm_judge.with_metric.score == 1.0


def test_the_verdict_does_not_move_with_the_judge(
    host: ChatHost, tickets: JobSpec, open_rule: Any, run: Callable[[JobSpec], RunFolder]
) -> None:
    host.rule = lambda body: "Mark: 1"
    spec = tickets.model_copy(update={"judge": f"{host.url}#house/judge"})
    folder = run(spec)
    rule = RuleModel(lambda prompt, tuned: right_answer(prompt) if tuned else "Hello.")
    run_evaluation(spec, folder, lambda: False, open_rule(rule))
    found = read_marks(folder)
    assert found is not None and found.models["tuned"].good.score == 0.0
    assert read_report(folder.evaluation_file).verdict == "ship"


def test_a_judge_that_is_no_address_is_refused_before_any_work(
    tickets: JobSpec, open_rule: Any, run: Callable[[JobSpec], RunFolder]
) -> None:
    spec = tickets.model_copy(update={"judge": "gpt"})
    model = RuleModel(lambda prompt, tuned: "Hello.")
    with pytest.raises(ProblemsFound, match="address of the endpoint"):
        run_evaluation(spec, run(spec), lambda: False, open_rule(model))
    assert model.asked == 0
