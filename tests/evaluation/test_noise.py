"""Noise of decoding: the base asked again, by hand and through the judge's own door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.jobspec import JobSpec
from core.run_folder import RunFolder
from evaluation.answering import other_batches
from evaluation.luck import luck_of
from evaluation.noise import decoding_noise, half_width, rows_again
from evaluation.report import EvaluationReport, read_report
from evaluation.run import run_evaluation

from .conftest import Rule, RuleModel, right_answer


def test_marks_that_changed_are_counted_and_give_a_deviation() -> None:
    # 1 of 50 rows flips: mean square 1/50, halved for one of two draws, over 100 judged rows: sqrt(0.0001) = 1 point.
    found = decoding_noise([1.0] * 50, [0.0] + [1.0] * 49, judged=100)
    assert found is not None and (found.n, found.changed) == (50, 1)
    assert found.sd == pytest.approx(0.01) and found.variance == pytest.approx(0.0001)
    assert found.score_change == pytest.approx(-0.02) and found.share.score == pytest.approx(0.02)
    assert found.sentence == "Asked again, the base changed its mark on 1 of 50 rows: noise of 1.0 points."
    assert half_width(found) == pytest.approx(0.0196, abs=1e-5)


def test_flips_both_ways_leave_the_score_and_are_noise_all_the_same() -> None:
    found = decoding_noise([1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0], judged=4)
    assert found is not None and found.score_change == 0 and found.changed == 2
    assert found.sd == pytest.approx((2 / 4 / 8) ** 0.5)


def test_scores_in_between_count_by_how_far_they_moved() -> None:
    found = decoding_noise([0.5, 0.8], [0.7, 0.8], judged=2)
    assert found is not None and found.changed == 1
    assert found.sd == pytest.approx((0.04 / 2 / 4) ** 0.5)


def test_no_change_is_no_noise_at_all_and_no_rows_are_no_measurement() -> None:
    found = decoding_noise([1.0, 0.3], [1.0, 0.3], judged=2)
    assert found is not None and found.sd == 0.0 and half_width(found) == 0.0
    assert found.sentence.endswith("on none of 2 rows: no noise of decoding was seen.")
    assert decoding_noise([], [], judged=0) is None and half_width(None) == 0.0


def test_few_rows_are_asked_again_and_fewer_in_a_quick_look() -> None:
    honest = list(range(3, 203))
    counts = [len(rows_again(honest, look, 7)) for look in ("full", "quick")]
    assert counts == [50, 20]
    drawn = rows_again(honest, "full", 7)
    assert drawn == sorted(set(drawn)) and set(drawn) <= set(honest) and drawn != rows_again(honest, "full", 8)
    assert rows_again([4, 9], "full", 7) == [4, 9]


def test_a_repeat_has_another_order_and_smaller_batches() -> None:
    batches = other_batches(50, 1)
    assert [len(batch) for batch in batches] == [17, 17, 16]
    order = [place for batch in batches for place in batch]
    assert sorted(order) == list(range(50)) != order
    assert other_batches(50, 1) == batches != other_batches(50, 2)
    assert other_batches(0, 1) == [] and other_batches(1, 1) == [[0]]


def test_the_tuned_and_the_prompted_model_are_taken_to_be_as_unsteady_as_the_base() -> None:
    scores = {"base": [1.0, 0.0, 1.0], "tuned": [1.0] * 3}
    luck = luck_of(scores, [0, 2], lambda at, text: float(text), again={2: "0"}, judged=("", 0), seeds={}, rows_seed=1)
    assert luck.decoding is not None and luck.decoding.n == luck.decoding.changed == 1
    assert luck.spread["base"] == luck.spread["best_prompt"] == luck.spread["tuned"] > 0
    assert "classic" not in luck.spread and luck.seeds is None


class Wavering(RuleModel):
    """Answers these questions otherwise when the base is asked them a second time, unprompted."""

    def __init__(self, rule: Rule, wavers: Callable[[str], bool]) -> None:
        self.seen: set[str] = set()
        super().__init__(lambda prompt, tuned: self.waver(rule, wavers, prompt, tuned))

    def waver(self, rule: Rule, wavers: Callable[[str], bool], prompt: str, tuned: bool) -> str:
        before = prompt in self.seen
        if not tuned:
            self.seen.add(prompt)
        return "otherwise" if before and not tuned and wavers(prompt) else rule(prompt, tuned)


def half_right(prompt: str, tuned: bool) -> str:
    number = int(prompt.rsplit("MAT-", 1)[1].split(maxsplit=1)[0])
    return right_answer(prompt) if tuned or number % 2 else "no"


@pytest.fixture
def judged(
    tickets: JobSpec, open_rule: Any, run: Callable[[JobSpec], RunFolder]
) -> Callable[[RuleModel], EvaluationReport]:
    def judge(model: RuleModel) -> EvaluationReport:
        folder = run(tickets)
        run_evaluation(tickets, folder, lambda: False, open_rule(model))
        return read_report(folder.evaluation_file)

    return judge


def test_a_steady_model_has_no_noise_and_a_wavering_one_that_of_the_marks_it_changed(
    judged: Callable[[RuleModel], EvaluationReport], tickets: JobSpec
) -> None:
    wavering = Wavering(half_right, lambda prompt: any(f"MAT-{n} " in prompt for n in (301, 303, 304, 305)))
    noisy = judged(wavering)
    # All 40 rows are asked again; 301, 303 and 305 were right and are no more, 304 is wrong both times.
    assert noisy.noise is not None and (noisy.noise.n, noisy.noise.changed) == (40, 3)
    assert noisy.noise.score_change == pytest.approx(-3 / 40)
    assert noisy.noise.sd == pytest.approx((3 / 40 / 80) ** 0.5)
    assert "3 of 40 rows: noise of 3.1 points" in noisy.noise.sentence
    # The second answers are kept beside the first: the same judgement asks nothing and finds the same.
    assert judged(silent := RuleModel(half_right)).noise == noisy.noise and silent.asked == 0
    adapter = f"{tickets.adapter}/adapter_model.safetensors"
    with open(adapter, "wb") as file:
        file.write(b"others")
    assert judged(tuned := RuleModel(half_right)).noise == noisy.noise and tuned.asked == 40


def test_noise_widens_the_difference_and_not_the_scores(
    judged: Callable[[RuleModel], EvaluationReport], tickets: JobSpec
) -> None:
    noisy = judged(Wavering(half_right, lambda prompt: "MAT-301 " in prompt))
    noise, pair = noisy.noise, noisy.paired["tuned_vs_base"]
    assert noise is not None and noise.sd > 0
    plain = judged_without(noisy)
    assert pair.low < plain.low and pair.p_value >= plain.p_value and pair.difference == plain.difference
    added = 2 * (1.959964 * noise.sd) ** 2
    assert (pair.difference - pair.low) ** 2 == pytest.approx((plain.difference - plain.low) ** 2 + added)


def judged_without(report: EvaluationReport) -> Any:
    from evaluation.stats import compare

    scores = {name: [answer.scores[name] for answer in report.answers] for name in ("tuned", "base")}
    return compare("tuned", scores["tuned"], "base", scores["base"], report.seed)


def test_a_deterministic_model_gives_no_noise(judged: Callable[[RuleModel], EvaluationReport]) -> None:
    report = judged(RuleModel(half_right))
    assert report.noise is not None and (report.noise.changed, report.noise.sd) == (0, 0.0)
    assert report.paired["tuned_vs_base"] == judged_without(report)
