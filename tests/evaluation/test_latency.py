from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from evaluation.latency import MAX_SECONDS, Latency, latency, percentile, spread, summarise
from serving.completion import Completion


class SlowModel:
    """Takes a tenth of a second a token of the prompt, by a clock of its own; the first answer takes a minute more."""

    context = 4096

    def __init__(self, first_seconds: float = 50.0) -> None:
        self.now = 0.0
        self.extra = first_seconds
        self.asked: list[tuple[int, str | None]] = []

    def clock(self) -> float:
        return self.now

    def completions(
        self,
        prompt_ids: list[list[int]],
        *,
        adapter: str | None = None,
        max_new_tokens: int,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, Completion]]:
        assert len(prompt_ids) == 1, "a batch is not latency"
        if stop is not None and stop():
            return
        self.asked.append((len(prompt_ids[0]), adapter))
        self.now += self.extra + len(prompt_ids[0]) / 10
        self.extra = 0.0
        yield 0, Completion(text="yes", tokens=3, truncated=False, seconds=99.0)

    def likelihoods(
        self,
        questions: list[tuple[list[int], list[list[int]]]],
        *,
        adapter: str | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, list[float]]]:
        raise AssertionError("nothing is weighed here")


def measured(model: SlowModel, prompts: list[list[int]], limit_ms: int | None = None, n: int = 20) -> Latency:
    found = latency(
        model, prompts, adapter="tuned", max_new_tokens=8, device="cpu", limit_ms=limit_ms, n=n, clock=model.clock
    )
    assert found is not None
    return found


def test_each_answer_is_asked_for_alone_and_the_first_is_not_counted() -> None:
    model = SlowModel()
    found = measured(model, [[1] * length for length in range(1, 21)], limit_ms=1000)
    assert len(model.asked) == 21 and {adapter for _, adapter in model.asked} == {"tuned"}
    assert (found.n, found.mean_prompt_tokens, found.mean_answer_tokens) == (20, 10.5, 3)
    assert found.p50_seconds == pytest.approx(1.0)
    assert found.p95_seconds == pytest.approx(1.9)
    assert found.longest_seconds == pytest.approx(2.0)


def test_times_are_held_against_the_acceptable_wait() -> None:
    found = summarise([0.2] * 18 + [0.9, 1.5], mean_prompt_tokens=9, mean_answer_tokens=2, device="cpu", limit_ms=800)
    assert found.within is not None and (found.within.score, found.within.n) == (0.9, 20)
    assert found.sentence == (
        "18 of 20 answers came within 800 ms: p50 200 ms, p95 900 ms on 20 single requests (cpu, this machine)."
    )
    free = summarise([1.25], mean_prompt_tokens=9, mean_answer_tokens=2, device="cuda")
    assert free.within is None and free.sentence == "p50 1.2 s, p95 1.2 s on 1 single request (cuda, this machine)."


def test_short_and_long_prompts_both_come_up() -> None:
    assert [len(prompt) for prompt in spread([[0] * length for length in range(101)], 5)] == [0, 25, 50, 75, 100]
    assert [len(prompt) for prompt in spread([[0] * 9, [0] * 2], 5)] == [2, 9]
    assert [len(prompt) for prompt in spread([[0] * length for length in range(9)], 1)] == [4]


def test_a_percentile_is_one_of_the_measured_values() -> None:
    assert percentile([1.0], 0.95) == 1
    assert percentile([float(value) for value in range(1, 21)], 0.95) == 19
    assert percentile([float(value) for value in range(1, 101)], 0.95) == 95
    assert percentile([1.0, 2.0], 0.5) == 1


def test_a_slow_model_is_asked_for_a_minute_only() -> None:
    model = SlowModel(first_seconds=0)
    found = measured(model, [[1] * 310] * 20)
    assert found.n == 2 and found.p95_seconds == pytest.approx(31)
    assert model.now > MAX_SECONDS


def test_who_stops_before_the_first_answer_gets_none() -> None:
    model = SlowModel()
    assert latency(model, [[1]], max_new_tokens=8, device="cpu", stop=lambda: True, clock=model.clock) is None
    assert latency(model, [], max_new_tokens=8, device="cpu", clock=model.clock) is None
