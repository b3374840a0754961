"""Does a model say the same twice? By hand, and through the judge's own door with chance that is planted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.jobspec import JobSpec
from core.run_folder import RunFolder
from evaluation.consistency import Consistency, consistency, likeness
from evaluation.judged_model import Model
from evaluation.report import EvaluationReport, read_report
from evaluation.run import run_evaluation
from serving.completion import Completion

from .conftest import RuleModel


def test_the_likeness_of_answers_is_the_mean_over_their_pairs() -> None:
    # "a b c" against "a b d": 2 of 3 words. Against nothing in common: 0.
    assert likeness(["a b c", "a b c", "a b c"]) == 1
    assert likeness(["a b c", "a b d"]) == pytest.approx(2 / 3)
    assert likeness(["a b c", "a b d", "x y z"]) == pytest.approx((2 / 3 + 0 + 0) / 3)
    assert likeness(["a b", "b a c"]) == likeness(["b a c", "a b"])
    assert likeness(["", " "]) == 1 and likeness(["", "a"]) == 0


def test_a_model_has_the_mean_of_its_rows_with_an_interval_over_them() -> None:
    rows = [["on its way"] * 3] * 15 + [["on its way", "paid", "sent back"]] * 5
    found = consistency({"tuned": rows, "base": []}, seed=7)
    assert set(found) == {"tuned"}
    tuned = found["tuned"]
    assert tuned.likeness.score == 0.75 and tuned.likeness.n == 20 and tuned.same == 15
    assert 0.5 < tuned.likeness.low < 0.75 < tuned.likeness.high < 1
    assert tuned.sentence.startswith("asked 3 times with chance, its answers share 0.75 of their words (0.")
    assert tuned.sentence.endswith("the same every time on 15 of 20 rows")
    assert Consistency.model_validate_json(tuned.model_dump_json()) == tuned


def test_a_model_that_never_varies_is_as_sure_as_its_rows_are_many() -> None:
    found = consistency({"tuned": [["yes"] * 3] * 20}, seed=7)["tuned"]
    assert found.likeness.score == 1 and 0.8 < found.likeness.low < 1 and found.same == 20


class Chance(RuleModel):
    """The base says something else for every seed; the tuned model does not care."""

    def __init__(self, model: Model, seed: int) -> None:
        assert isinstance(model, RuleModel)
        self.model, self.seed = model, seed
        super().__init__(model.rule)

    def completions(self, *asked: Any, adapter: str | None = None, **more: Any) -> Iterator[tuple[int, Completion]]:
        for at, answer in self.model.completions(*asked, adapter=adapter, **more):
            yield at, answer if adapter else answer.model_copy(update={"text": f"chance{self.seed}"})


@pytest.fixture
def letters(tickets: JobSpec, tmp_path: Path) -> JobSpec:
    def rows(name: str, numbers: range) -> str:
        reply = "Dear reader, thank you for letter {at}. We shall look into it and write to you before Friday comes."
        lines = [json.dumps({"prompt": f"letter {at}", "completion": reply.format(at=at)}) + "\n" for at in numbers]
        path = tmp_path / name
        path.write_text("".join(lines))
        return str(path)

    return tickets.model_copy(
        update={
            "dataset": rows("a.jsonl", range(50)),
            "validation": None,
            "test": rows("b.jsonl", range(100, 130)),
            "task_kind": "style",
        }
    )


@pytest.fixture
def judged(open_rule: Any, run: Callable[[JobSpec], RunFolder]) -> Callable[..., tuple[EvaluationReport, list[float]]]:
    def judge(
        spec: JobSpec, chance: Callable[[Model, int], Model | None] = Chance
    ) -> tuple[EvaluationReport, list[float]]:
        folder, heat = run(spec), []

        def sample(model: Model, temperature: float, seed: int) -> Model | None:
            heat.append(temperature)
            return chance(model, seed)

        model = RuleModel(lambda prompt, tuned: "Dear reader, we shall look into it.")
        run_evaluation(spec, folder, lambda: False, open_rule(model), sample)
        steps = [event for event in folder.events() if event.kind == "step"]
        assert steps[-1].step == steps[-1].total_steps
        return read_report(folder.evaluation_file), heat

    return judge


def test_a_task_of_style_is_asked_three_times_with_chance(
    letters: JobSpec, judged: Callable[..., tuple[EvaluationReport, list[float]]]
) -> None:
    report, heat = judged(letters)
    assert heat == [0.7] * 6
    found = report.details.consistency
    assert set(found) == {"base", "tuned"}
    assert found["tuned"].likeness.score == 1.0 and found["tuned"].likeness.n == 20
    # Another answer every time: had the cache not told the three seeds apart, they would be the same.
    assert found["base"].likeness.score == 0.0 and found["base"].same == 0
    assert not any("when sampled" in limit for limit in report.limits)
    quick, _ = judged(letters.model_copy(update={"look": "quick"}))
    assert quick.details.consistency["tuned"].likeness.n == 10


def test_other_tasks_are_not_and_a_model_that_cannot_be_sampled_says_so(
    letters: JobSpec, tickets: JobSpec, judged: Callable[..., tuple[EvaluationReport, list[float]]]
) -> None:
    for spec in (
        letters.model_copy(update={"task_kind": "summarise"}),
        tickets.model_copy(update={"task_kind": "chat"}),
    ):
        report, heat = judged(spec)
        assert not heat and not report.details.consistency
        assert any("when sampled" in limit for limit in report.limits)
    report, heat = judged(letters, lambda model, seed: None)
    assert heat and not report.details.consistency
    assert any("when sampled" in limit for limit in report.limits)
