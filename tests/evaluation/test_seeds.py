"""Luck of the seed: by hand, which trainings may stand beside one, and through the judge's own door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput, NotFound, ProblemsFound, Refused
from core.home import new_id
from core.jobspec import JobSpec, check_evaluate_spec
from core.run_folder import RunFolder
from evaluation.report import EvaluationReport, read_report
from evaluation.run import run_evaluation
from evaluation.seed_runs import seed_runs
from evaluation.seeds import ONE_SEED, between, seed_noise, student

from .conftest import RuleModel, right_answer

Train = Callable[..., str]


def test_the_deviation_between_seeds_has_n_less_one_below() -> None:
    # 0.80, 0.84 and 0.88: squares 0.0016 twice, over two.
    assert between([0.80, 0.84, 0.88]) == pytest.approx(0.04)
    assert between([0.1 + 0.2, 0.3]) == pytest.approx(0, abs=1e-15) and between([0.7, 0.7, 0.7]) == 0.0


def test_few_seeds_take_the_quantile_of_student() -> None:
    # From any table of Student's t, two-sided 5 %.
    assert [round(student(n), 3) for n in (2, 3, 5, 11)] == [12.706, 4.303, 2.776, 2.228]


def scores_of(right: int, n: int = 50) -> list[float]:
    return [1.0] * right + [0.0] * (n - right)


def test_three_seeds_give_a_half_width_and_a_sentence() -> None:
    found = seed_noise({("job-a", 7): scores_of(40), ("job-b", 8): scores_of(42), ("job-c", 9): scores_of(44)})
    assert found is not None and found.sd == pytest.approx(0.04) and found.t == pytest.approx(4.3027, abs=1e-4)
    assert found.half_width == pytest.approx(0.1721, abs=1e-4)
    assert [(each.job, each.seed, each.score.score) for each in found.scores[:1]] == [("job-a", 7, 0.8)]
    assert found.sentence == (
        "3 seeds of training score 0.80, 0.84 and 0.88: luck of the seed of 4.0 points (standard deviation), "
        "at 95 % up to 17.2 points either way."
    )


def test_two_seeds_say_that_they_say_little_and_equal_ones_that_there_is_no_luck() -> None:
    two = seed_noise({("a", 1): scores_of(40), ("b", 2): scores_of(41)})
    assert two is not None and "Two seeds say little" in two.sentence and two.half_width > 0.17
    same = seed_noise({("a", 1): scores_of(40), ("b", 2): scores_of(40)})
    assert same is not None and same.half_width == 0 and same.sentence.endswith("no luck of the seed was seen.")
    assert seed_noise({("a", 1): scores_of(40)}) is None and seed_noise({("a", 1): [], ("b", 2): []}) is None


def test_the_half_width_holds_the_recipes_own_mean_in_95_of_100_draws() -> None:
    import numpy as np

    for n in (2, 3, 5):
        drawn = np.random.default_rng(n).normal(size=(20_000, n))
        inside = np.abs(drawn[:, 0]) <= student(n) * drawn.std(axis=1, ddof=1)
        assert 0.94 < inside.mean() < 0.995


@pytest.fixture
def train(tickets: JobSpec) -> Train:
    """A training that has ended, with weights that name their seed."""

    def trained(seed: int, **changes: Any) -> str:
        spec = JobSpec.model_validate({"kind": "train", "dataset": tickets.dataset, "seed": seed} | changes)
        folder = RunFolder.create(new_id("job"), spec)
        folder.adapter.mkdir()
        (folder.adapter / "adapter_config.json").write_text("{}")
        (folder.adapter / "adapter_model.safetensors").write_bytes(f"seed {seed}".encode())
        return folder.job_id

    return trained


def with_seeds(spec: JobSpec, job: str | None, others: Sequence[str]) -> JobSpec:
    return spec.model_copy(update={"adapter": None, "job": job, "seed_jobs": list(others)})


def test_trainings_of_the_same_recipe_are_found_the_judged_one_first(tickets: JobSpec, train: Train) -> None:
    jobs = [train(7, name="first"), train(8, name="again"), train(9, group="seeds")]
    found = seed_runs(with_seeds(tickets, jobs[0], jobs[1:]))
    assert [(run.job, run.seed) for run in found] == list(zip(jobs, (7, 8, 9), strict=True))
    assert seed_runs(with_seeds(tickets, jobs[0], [])) == []


def test_all_that_stands_against_seeds_is_said_at_once(tickets: JobSpec, train: Train) -> None:
    judged, same = train(7), train(7)
    other = train(8, learning_rate=2e-3, epochs=1)
    with pytest.raises(ProblemsFound) as caught:
        seed_runs(with_seeds(tickets, judged, [same, other, "job-20260101-00000000"]))
    told = [f"{problem.what} {problem.hint}" for problem in caught.value.problems()]
    assert f"{same} has the seed 7, as another one has." in told[0]
    assert f"{other} differs from {judged} in epochs, learning_rate. Only the seed may differ." in told[1]
    assert "no local job `job-20260101-00000000` here" in told[2]
    (RunFolder.of(same).adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(ProblemsFound, match="holds no adapter_model"):
        seed_runs(with_seeds(tickets, judged, [same]))
    with pytest.raises(NotFound):
        seed_runs(with_seeds(tickets, "job-20260101-00000000", [judged]))
    with pytest.raises(BadInput, match="small classifier"):
        seed_runs(with_seeds(tickets, train(9, learner="classic"), [judged]))


def test_a_spec_that_names_seeds_wrongly_is_refused_by_itself(tickets: JobSpec) -> None:
    def told(job: str | None, others: Sequence[str]) -> list[str]:
        return [problem.what for problem in check_evaluate_spec(with_seeds(tickets, job, others))]

    assert told(None, ["job-1"]) == ["`seed_jobs` is given without `job`."]
    assert told("job-1", ["job-1"]) == told("job-1", ["job-2", "job-2"])
    assert "twice" in told("job-1", ["job-1"])[0] and told("job-1", ["job-2"]) == told("job-1", []) == []


class Seeded(RuleModel):
    """The tune of seed `s` is wrong on the first `wrong[s]` of the 40 held-out rows."""

    def __init__(self, wrong: dict[int, int], seed: int) -> None:
        self.seed, self.swapped = seed, 0
        super().__init__(
            lambda prompt, tuned: right_answer(prompt) if tuned and number(prompt) >= 300 + wrong[self.seed] else "no"
        )

    def swap_adapter(self, name: str, folder: Path) -> None:
        assert name == "tuned"
        self.swapped += 1
        self.seed = int((folder / "adapter_model.safetensors").read_text().removeprefix("seed "))


def number(prompt: str) -> int:
    return int(prompt.rsplit("MAT-", 1)[1].split(maxsplit=1)[0])


@pytest.fixture
def judged(
    tickets: JobSpec, train: Train, open_rule: Any, run: Callable[[JobSpec], RunFolder]
) -> Callable[[dict[int, int]], tuple[EvaluationReport, Seeded]]:
    def judge(wrong: dict[int, int]) -> tuple[EvaluationReport, Seeded]:
        jobs = [train(seed) for seed in wrong]
        model = Seeded(wrong, next(iter(wrong)))
        spec = with_seeds(tickets, jobs[0], jobs[1:])
        folder = run(spec)
        run_evaluation(spec, folder, lambda: False, open_rule(model))
        return read_report(folder.evaluation_file), model

    return judge


def test_each_seed_is_judged_on_the_same_rows_and_the_tuned_interval_knows_of_it(
    judged: Callable[[dict[int, int]], tuple[EvaluationReport, Seeded]],
) -> None:
    report, model = judged({7: 4, 8: 6, 9: 8})
    assert report.seeds is not None and model.swapped == 2
    assert [each.score.score for each in report.seeds.scores] == [0.9, 0.85, 0.8]
    assert report.seeds.sd == pytest.approx(0.05)
    by_rows, task = report.seeds.scores[0].score, report.models["tuned"]["task"]
    assert task.score == by_rows.score == 0.9
    assert (task.score - task.low) ** 2 == pytest.approx((by_rows.score - by_rows.low) ** 2 + (4.30265 * 0.05) ** 2)
    assert report.verdict == "ship" and report.paired["tuned_vs_base"].test.startswith("noise-widened")
    assert not any(ONE_SEED in limit for limit in report.limits)


def test_a_lucky_seed_among_bad_ones_does_not_ship(
    judged: Callable[[dict[int, int]], tuple[EvaluationReport, Seeded]],
) -> None:
    report, _ = judged({7: 10, 8: 30, 9: 38})
    assert report.verdict == "not_enough_evidence" and report.reasons[0].startswith("By the rows alone")
    assert report.paired["tuned_vs_base"].low < 0


def test_one_seed_says_that_its_luck_is_not_known(
    judged: Callable[[dict[int, int]], tuple[EvaluationReport, Seeded]],
) -> None:
    report, _ = judged({7: 4})
    assert report.seeds is None and ONE_SEED in report.limits and report.verdict == "ship"


def test_a_model_that_cannot_swap_adapters_says_so(
    tickets: JobSpec, train: Train, open_rule: Any, run: Callable[[JobSpec], RunFolder]
) -> None:
    spec = with_seeds(tickets, train(7), [train(8)])
    with pytest.raises(Refused, match="cannot change its adapter"):
        run_evaluation(spec, run(spec), lambda: False, open_rule(RuleModel(lambda prompt, tuned: "no")))
