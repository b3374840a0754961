from __future__ import annotations

from core.jobspec import JobSpec
from core.machine import Machine
from cost_models.pairs import as_one_row
from cost_models.run_estimate import estimate_run
from cost_models.shapes import shape_of

HERE = Machine(cores=2, memory_gib=16.0, cpu_flags=[])


def test_a_pair_needs_the_activations_of_two_rows() -> None:
    plain = JobSpec(micro_batch=1, grad_checkpointing="off", max_tokens=400)
    shape = shape_of(plain.base_model, None)
    row = estimate_run(shape, plain, token_counts=[400] * 8, device="cpu", device_memory_gib=16.0, here=HERE)
    long_shape, long_spec = as_one_row(shape, plain)
    pair = estimate_run(long_shape, long_spec, token_counts=[800] * 8, device="cpu", device_memory_gib=16.0, here=HERE)
    for part in ("activations", "logits"):
        assert 1.9 <= pair.breakdown[part] / row.breakdown[part] <= 2.6, part
    assert pair.breakdown["weights"] == row.breakdown["weights"]
    assert pair.seconds.likely and row.seconds.likely and pair.seconds.likely > row.seconds.likely


def test_pairs_of_rows_as_long_as_the_context_are_not_taken_for_cut() -> None:
    shape = shape_of(JobSpec().base_model, None)
    longer, spec = as_one_row(shape, JobSpec(max_tokens=shape.context))
    assert (longer.context, spec.max_tokens) == (2 * shape.context, 2 * shape.context)
