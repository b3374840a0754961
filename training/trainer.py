"""TRL's SFTTrainer, set up: the base made to learn, our rows as they are, our order, our watcher."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import datasets
from transformers import AutoTokenizer, PrinterCallback, set_seed
from transformers.utils import logging as transformers_logging
from trl import SFTConfig, SFTTrainer

from core.jobspec import JobSpec
from training.adapter import save_weights
from training.answer_loss import learn_answers_only
from training.load_base import load_base
from training.methods import attach, restorer
from training.methods.bottleneck import layers_of
from training.order import LengthGrouped
from training.plan import TrainingPlan
from training.preferences import preference_trainer, start_from
from training.recompute import recompute_only
from training.rows import Part
from training.stack import use_stack
from training.watcher import Watcher

PAGED = "paged_adamw_8bit"


def build_trainer(
    spec: JobSpec,
    plan: TrainingPlan,
    base: Path,
    train: Part,
    validation: Part | None,
    *,
    checkpoints: Path,
    trackers: list[str],
    watcher: Watcher,
    checkpoints_kept: int,
) -> Any:
    """A trainer that has not begun. Raises `BadInput` for what this base cannot be tuned by, `BaseModelUnavailable`."""
    quiet_libraries()
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    model = load_base(spec, plan, base)
    set_seed(spec.seed)
    model = start_from(model, spec) if spec.objective == "dpo" else attach(model, spec)
    if spec.shard_base and plan.n_gpus > 1:
        from training.shard import shard_frozen

        shard_frozen(model, on_cpu=plan.on_cpu)
    settings = common_settings(
        spec, plan, checkpoints, trackers, validates=validation is not None, kept=checkpoints_kept
    )
    if spec.objective == "dpo":
        trainer = preference_trainer(model, settings, spec, train, validation, tokenizer, watcher)
    else:
        trainer = SFTTrainer(
            model=model,
            args=sft_config(settings),
            train_dataset=as_dataset(train),
            eval_dataset=as_dataset(validation, by_length=True) if validation else None,
            processing_class=tokenizer,
            callbacks=[watcher],
        )
    _keep_checkpoints_small(trainer, spec)
    for weight in trainer.model.parameters():
        if weight.requires_grad:
            # Over a quantised base TRL rounds adapters to bfloat16, in which a small step is lost. They cost little.
            weight.data = weight.data.float()
    if plan.recomputed_layers is not None:
        recompute_only(trainer.model, plan.recomputed_layers)
    trainer.remove_callback(PrinterCallback)
    trainer._get_train_sampler = lambda *_: LengthGrouped(train.token_counts, plan.step_rows, spec.seed)
    if plan.on_cpu and spec.objective == "sft":
        learn_answers_only(trainer)
    trainer.stack_note = use_stack(trainer, spec, plan)
    trainer.create_model_card = lambda *_, **__: None  # an empty form in every checkpoint
    return trainer


def quiet_libraries() -> None:
    """The log is for people: no bars, no advice to programmers."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    datasets.disable_progress_bars()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # a line for every layer of every step
    warnings.simplefilter("ignore")


def _keep_checkpoints_small(trainer: Any, spec: JobSpec) -> None:
    """Checkpoints hold what learns and no more, and what they hold is taken up again, whatever the method."""
    restore = restorer(spec)
    if restore is not None:
        trainer._load_from_checkpoint = lambda folder, model=None: restore(trainer.model, Path(folder))
    if layers_of(trainer.model) is not None or spec.objective == "dpo":

        def save(output_dir: str | None = None, state_dict: Any = None) -> None:
            save_weights(trainer.model, Path(output_dir or trainer.args.output_dir))

        trainer._save = save


def sft_config(settings: dict[str, Any]) -> SFTConfig:
    """The settings of supervised tuning. Rows come ready, so TRL prepares, cuts, packs and drops nothing."""
    ready = {"packing": False, "max_length": None, "dataset_kwargs": {"skip_prepare_dataset": True}}
    return SFTConfig(**settings, **ready)


def common_settings(
    spec: JobSpec, plan: TrainingPlan, checkpoints: Path, trackers: list[str], *, validates: bool, kept: int
) -> dict[str, Any]:
    """The settings of every trainer, whatever it learns from."""
    return dict(
        output_dir=str(checkpoints),
        run_name=spec.name or checkpoints.parent.name,
        num_train_epochs=spec.epochs,
        learning_rate=spec.learning_rate,
        warmup_steps=spec.warmup_ratio,
        weight_decay=spec.weight_decay,
        neftune_noise_alpha=spec.neftune_alpha,
        **({"optim": PAGED} if paged_optimizer(spec, plan) else {}),
        per_device_train_batch_size=plan.micro_batch,
        per_device_eval_batch_size=plan.micro_batch,
        gradient_accumulation_steps=plan.grad_accumulation,
        gradient_checkpointing=plan.grad_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if plan.grad_checkpointing else None,
        bf16=plan.precision == "bfloat16",
        fp16=plan.precision == "float16",
        use_cpu=plan.on_cpu,
        **({"ddp_backend": "gloo"} if plan.on_cpu and plan.n_gpus > 1 else {}),
        ddp_find_unused_parameters=False,
        dataloader_pin_memory=not plan.on_cpu,
        seed=spec.seed,
        data_seed=spec.seed,
        eval_strategy="steps" if validates else "no",
        eval_steps=plan.eval_steps,
        prediction_loss_only=True,
        save_strategy="steps",
        save_steps=plan.save_steps,
        save_total_limit=kept,
        logging_strategy="steps",
        logging_steps=plan.log_steps,
        logging_nan_inf_filter=False,
        report_to=trackers or "none",
        disable_tqdm=True,
    )


def paged_optimizer(spec: JobSpec, plan: TrainingPlan) -> bool:
    """AdamW with 8-bit state that moves to main memory when the card is full (Dettmers et al. 2023, section 3)."""
    if spec.optimizer != "auto":
        return spec.optimizer == "adamw_8bit_paged"
    return spec.method.bits in ("4", "8") and not plan.on_cpu


def as_dataset(part: Part, *, by_length: bool = False) -> datasets.Dataset:
    """`input_ids` and `labels` of the rows; sorted by length where the order does not matter, to save padding."""
    rows = sorted(part.rows, key=lambda row: len(row.input_ids)) if by_length else part.rows
    return datasets.Dataset.from_dict(
        {"input_ids": [row.input_ids for row in rows], "labels": [row.labels for row in rows]}
    )
