"""The stack `tuneworthy`: our decoder layers and loss under TRL's trainer, on one card; else plain PEFT.

Only the arithmetic between is ours: the trainer, the order of rows, checkpoints and the adapter are the same.
"""

from __future__ import annotations

from typing import Any

from core.errors import BadInput
from core.jobspec import JobSpec
from training.kernels.install import decoder_of, install, obstacles
from training.kernels.loss import IGNORED, answer_loss
from training.plan import TrainingPlan


def use_stack(trainer: Any, spec: JobSpec, plan: TrainingPlan) -> str | None:
    """Put our layers into the trainer's model where the spec asks for them; gives what the log should say.

    Raises `BadInput` for a base in fp8 that our layers cannot hold: nothing else can.
    """
    if spec.stack != "tuneworthy":
        return None
    reasons = _reasons(trainer.model, spec, plan)
    if reasons:
        if spec.method.bits == "fp8":
            raise BadInput(f"a base in fp8 needs our layers: {reasons[0]}.", "Use `bits: '16'` or `'4'`.")
        return f"Plain PEFT is used: {'; '.join(reasons)}."
    layers = len(decoder_of(trainer.model).layers)
    recomputed = plan.recomputed_layers if plan.recomputed_layers is not None else layers * plan.grad_checkpointing
    put_in(trainer, fp8=spec.method.bits == "fp8", recompute_layers=recomputed)
    kept = f", {recomputed} of {layers} layers recomputed" if recomputed else ""
    return f"Our layers and loss are used{' over a base in fp8' if spec.method.bits == 'fp8' else ''}{kept}."


def put_in(trainer: Any, *, fp8: bool, recompute_layers: int) -> None:
    """Our layers and our loss, whatever the device."""
    model = trainer.model
    # Ours recompute by themselves; both at once would do it twice.
    trainer.args.gradient_checkpointing = False
    model.get_base_model().gradient_checkpointing_disable()
    install(model, fp8=fp8, recompute_layers=recompute_layers)
    head = model.get_output_embeddings().weight

    def compute_loss(
        _model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        labels = inputs["labels"][:, 1:].reshape(-1)
        hidden = decoder_of(model)(input_ids=inputs["input_ids"], use_cache=False).last_hidden_state[:, :-1]
        count = (labels != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        loss = answer_loss(hidden.reshape(labels.numel(), -1), head, labels, max(1.0, float(count)))
        if model.training:  # the trainer's own log shows the tokens read so far
            trainer._total_train_tokens += int(inputs["attention_mask"].sum())
            trainer._metrics["train"]["num_tokens"] = [trainer._total_train_tokens]
        return (loss, {}) if return_outputs else loss

    trainer.compute_loss = compute_loss


def _reasons(model: Any, spec: JobSpec, plan: TrainingPlan) -> list[str]:
    if plan.on_cpu:
        return ["our layers need a card"]
    if plan.n_gpus > 1:
        return ["our layers run on one card"]
    if plan.precision != "bfloat16":
        return [f"our layers compute in bfloat16, not in {plan.precision}"]
    if spec.method.kind != "lora":
        return ["our layers know LoRA only"]
    return obstacles(model)
