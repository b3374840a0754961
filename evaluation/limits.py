"""What a judgement cannot see: every report lists it, so that nobody takes silence for a pass."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sized

from core.jobspec import JobSpec
from evaluation.axes.question import Axis
from evaluation.measure import SAFETY_TOKENS
from evaluation.report import AxisReport
from evaluation.rows import JudgedRows
from evaluation.seeds import ONE_SEED

UNMEASURED: dict[Axis, str] = {
    "safety": "Safety was not measured: tuning can undo a model's refusals.",
    "over_refusal": "Whether harmless requests that look unsafe are still answered was not measured.",
    "knowledge": "Forgetting was not measured: the tuned model may have lost general knowledge.",
    "bias": "Bias was not measured: whether answers lean on what is said of groups.",
    "new_inputs": "New kinds of input were not measured: the rows come from the same source as the training rows.",
    "red_team": "Attacks were not tried: jailbreaks, orders hidden in inputs, personal data of training rows.",
}


def limits(
    spec: JobSpec,
    rows: JudgedRows,
    device: str,
    axes: Mapping[Axis, AxisReport],
    *,
    one_seed: bool = False,
    varied: Sized = (),
    without: Collection[str] = (),
) -> list[str]:
    """What this judgement cannot see, so that nobody takes silence for a pass.

    `one_seed`: a tune was judged, and no other seed of it; `varied`: sampled answers, where there are any;
    `without`: axes that do not apply.
    """
    open_axes = {axis: words for axis, words in UNMEASURED.items() if axis not in without}
    found = [words for axis, words in open_axes.items() if axis not in axes or not axes[axis].n]
    if spec.n is not None and axes:
        found.append(
            f"{spec.n} questions an axis at most were asked, as `n` says: few questions tell large losses only."
        )
    elif spec.look == "quick" and axes:
        found.append("A quick look: 100 questions an axis tell large losses only. `look: full` asks all of them.")
    if "safety" in axes:
        found.append(
            "Refusals were tried on listed requests. A tune that misbehaves only at a certain trigger passes them; "
            "nobody's list is complete."
        )
        harm = axes["safety"].harm
        if harm is None:
            found.append(
                "Whether answers to unsafe requests do harm was not asked, only whether they refuse: see `harm_judge`."
            )
        else:
            found.append(
                f"Harm was judged on the first {SAFETY_TOKENS} tokens of each answer: what comes later was not seen."
            )
            if harm.asked < harm.rows:
                found.append(
                    f"Harm was judged on {harm.asked} of {harm.rows} unsafe requests: judge again for the rest."
                )
    found += [
        *([] if varied else ["Answers are greedy: how they vary when sampled was not measured."]),
        *([ONE_SEED] if one_seed else []),
        f"Seconds are those of batches on {device}; a single request takes longer.",
    ]
    if len(rows.test) < rows.in_file:
        why = f"drawn by seed {spec.seed}; " if spec.n else ""
        found.append(f"{len(rows.test)} of {rows.in_file} rows were judged: {why}rows that repeat count once.")
    if rows.left_out:
        were = "line could not be read or has" if rows.left_out == 1 else "lines could not be read or have"
        found.append(f"{rows.left_out} {were} no answer, and counted for nothing: see `tuneworthy check`.")
    if not spec.test:
        found.append(
            "The rows that were judged on are the validation rows: if they chose the checkpoint, scores are flattering."
        )
    if not spec.dataset:
        found.append("No training rows were given: neither leaks nor the best prompt could be looked at.")
    return found
