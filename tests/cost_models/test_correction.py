"""What earlier runs teach: ratios, factors and errors by hand-computed cases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core.estimate import Estimate, RunEstimate
from core.job import Measured
from core.jobspec import JobSpec
from core.machine import Machine
from cost_models.correction import calibration, learned, narrowed
from cost_models.duration import Span
from cost_models.past_runs import PastRun, errors
from cost_models.probe import MOST_TIMED_STEPS, longest_first, probe_seconds, timed_enough
from cost_models.run_estimate import Calibration, estimate_run
from cost_models.shapes import shape_of

HERE = Machine(cores=2, memory_gib=16, cpu_flags=["amx_bf16"])
DEVICE = "processor, 2 cores"


def past(memory: float, speed: float, *, corrected: float = 1.0, device: str = DEVICE, **fields: Any) -> PastRun:
    """A run of which 4 (3 to 5) GiB, 100 (50 to 200) s and 1,000 tokens/s were shown."""
    return PastRun(
        job_id="job",
        name="run",
        at=datetime(2026, 11, 25, tzinfo=UTC),
        spec=JobSpec.model_validate(fields),
        predicted=RunEstimate(
            memory_gib=Estimate(low=3, likely=4, high=5, unit="GiB"),
            seconds=Estimate(low=50, likely=100, high=200, unit="s"),
            tokens_per_second=Estimate(low=500, likely=1000, high=1500, unit="tokens/s"),
            usd=Estimate(unit="USD"),
            plan={"device": device, "precision": "bfloat16"},
            memory_factor=corrected,
            speed_factor=corrected,
        ),
        measured=Measured(memory_gib=memory, seconds=130, tokens_per_second=speed),
        metrics={"start_seconds": 12.0, "save_seconds": 1.0} if fields.get("kind") == "probe" else {},
    )


def asked(runs: list[PastRun], **fields: Any) -> Calibration | None:
    return calibration(runs, JobSpec.model_validate(fields), device=DEVICE, precision="bfloat16")


def test_a_few_runs_are_drawn_towards_no_correction_and_none_goes_beyond_the_limits() -> None:
    assert learned([]) == 1
    assert learned([8.0]) == pytest.approx(2.0)  # 8 ** (1/3)
    assert learned([1.21, 1.21]) == pytest.approx(1.1)  # 1.21 ** (2/4)
    assert learned([0.1] * 12) == 0.5 and learned([9.0] * 12) == 2.0


def test_runs_of_another_shape_teach_their_median_and_those_of_another_device_nothing() -> None:
    runs = [past(4.84, 640, method={"rank": rank}) for rank in (4, 8)]
    found = asked(runs)
    assert found and found.memory_factor == pytest.approx(1.1) and found.speed_factor == pytest.approx(0.8)
    assert not found.same_shape and "the last 2 runs" in found.says
    assert asked([past(8, 100, device="T4")]) is None
    assert asked([past(8, 100, stack="tuneworthy")]) is None
    assert asked([past(8, 100, kind="evaluate")]) is None


def test_a_measurement_of_the_same_shape_counts_as_it_is_and_a_dry_run_first() -> None:
    runs = [past(8, 500, micro_batch=2), past(5, 900, kind="probe", micro_batch=4), past(4, 1000)]
    found = asked(runs, micro_batch=8)
    assert found and (found.memory_factor, found.speed_factor) == (1.25, 0.9)
    assert found.same_shape and found.start_seconds == 13 and found.says.startswith("a dry run")
    trained = asked([runs[0], runs[2]])
    assert trained and trained.memory_factor == 2.0 and trained.says.startswith("a training")


def test_a_correction_that_was_already_in_the_prediction_is_not_learned_twice() -> None:
    # 4 GiB were shown, 1.25 of it correction: our own figure was 3.2, and 4 are 1.25 times that.
    found = asked([past(4, 1250, corrected=1.25)])
    assert found and found.memory_factor == pytest.approx(1.25)
    assert found.speed_factor == pytest.approx(1.5625)  # shown 1,000, ours 800, measured 1,250


def test_the_history_says_how_far_off_and_how_often_inside_the_range() -> None:
    found = {each.figure: each for each in errors([past(4.4, 400), past(6, 1100), past(3.2, 1000)])}
    assert found["memory_gib"].median_off == pytest.approx(0.2)  # of 0.1, 0.5 and 0.2
    assert found["memory_gib"].inside_share == pytest.approx(2 / 3)
    assert found["tokens_per_second"].median_off == pytest.approx(0.1)
    assert (found["seconds"].runs, found["seconds"].inside_share) == (3, 1.0)
    assert errors([]) == []


def test_a_dry_run_takes_the_longest_rows_and_times_steps_for_a_while() -> None:
    assert longest_first([40, 90, 60, 90], 3) == [1, 3, 2]
    assert not timed_enough(0, 99) and timed_enough(1, 10) and not timed_enough(5, 9.9)
    assert timed_enough(MOST_TIMED_STEPS, 0.1)
    # 500 tokens a step: 1, 2 and 5 s, so that 10, 5 and 2 are timed beside the first: 11, 12 and 15 s
    found = probe_seconds(500, Span(low=100, likely=250, high=500), Span(low=10, likely=20, high=30))
    assert (found.low, found.likely, found.high) == (10 + 11 + 2, 20 + 12 + 8, 30 + 15 + 40)


def test_an_estimate_after_a_dry_run_is_scaled_narrower_and_says_why() -> None:
    spec, shape = JobSpec(micro_batch=4), shape_of(JobSpec().base_model)
    measured = Calibration(memory_factor=1.25, speed_factor=0.5, start_seconds=10, same_shape=True, says="a dry run")
    plain, found = (
        estimate_run(shape, spec, token_counts=[80] * 300, here=HERE, calibration=each) for each in (None, measured)
    )
    memory, speed = found.memory_gib, found.tokens_per_second
    assert memory.likely == pytest.approx(1.25 * (plain.memory_gib.likely or 0), abs=0.02)
    assert speed.likely == pytest.approx(0.5 * (plain.tokens_per_second.likely or 0), abs=0.1)
    assert memory.low == pytest.approx(0.9 * (memory.likely or 0), abs=0.02)
    assert speed.high == pytest.approx(1.2 * (speed.likely or 0), rel=0.01)
    # 72,000 tokens at half the speed, and ten seconds around them
    assert found.seconds.likely == pytest.approx(10 + 72_000 / (speed.likely or 1), rel=0.01)
    assert any("times 1.25, by a dry run" in text for text in memory.because)
    assert any("times 0.50, by a dry run" in text for text in found.seconds.because)
    assert (plain.memory_factor, found.memory_factor, found.speed_factor) == (1.0, 1.25, 0.5)


def test_unlike_rows_keep_the_high_end_of_their_memory() -> None:
    span = Span(low=1, likely=2, high=8)
    around = Span(low=0.9, likely=1, high=1.1)
    assert narrowed(span, around) == Span(low=1.8, likely=2, high=2.2)
    assert narrowed(span, around, keep_high=True).high == 8


def test_a_dry_run_is_cut_as_its_run_takes_its_memory_and_about_a_minute() -> None:
    shape, rows = shape_of(JobSpec().base_model), [60] * 200 + [400] * 8
    run, dry = (
        estimate_run(shape, JobSpec.model_validate({"kind": kind}), token_counts=rows, here=HERE)
        for kind in ("train", "probe")
    )
    assert dry.plan["micro_batch"] == run.plan["micro_batch"]
    assert dry.plan["checkpointing"] == run.plan["checkpointing"]
    assert dry.memory_gib.likely and dry.memory_gib.likely <= (run.memory_gib.likely or 0)
    assert dry.seconds.likely and 30 < dry.seconds.likely < 120 < (run.seconds.likely or 0)
