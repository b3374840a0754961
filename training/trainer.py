"""TRL's SFTTrainer, set up: the base with a fresh LoRA adapter, our rows as they are, our order, our watcher."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import datasets
import torch
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback
from transformers.utils import logging as transformers_logging
from trl import SFTConfig, SFTTrainer

from core.errors import BadInput, BaseModelUnavailable
from core.jobspec import JobSpec
from training.answer_loss import learn_answers_only
from training.order import LengthGrouped
from training.plan import TrainingPlan
from training.rows import Part
from training.watcher import Watcher


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
    """A trainer that has not begun. Raises `BadInput` for layers that the model lacks, `BaseModelUnavailable`."""
    quiet_libraries()
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            base,
            dtype=getattr(torch, plan.precision),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
        )
    except (ValueError, OSError, KeyError) as error:
        raise BaseModelUnavailable(
            f"the base model in {base} cannot be loaded: {str(error).splitlines()[0][:200]}", "Prepare it again."
        ) from error
    try:
        trainer = SFTTrainer(
            model=model,
            args=sft_config(spec, plan, checkpoints, trackers, validates=validation is not None, kept=checkpoints_kept),
            train_dataset=as_dataset(train),
            eval_dataset=as_dataset(validation, by_length=True) if validation else None,
            processing_class=tokenizer,
            peft_config=lora_config(spec),
            callbacks=[watcher],
        )
    except ValueError as error:
        if "arget modules" in str(error):
            raise BadInput(
                f"the base model has no layers named {', '.join(spec.method.targets)}.", "Use `all-linear`."
            ) from error
        raise
    trainer.remove_callback(PrinterCallback)
    trainer._get_train_sampler = lambda *_: LengthGrouped(train.token_counts, plan.micro_batch, spec.seed)
    if plan.on_cpu:
        learn_answers_only(trainer)
    trainer.create_model_card = lambda *_, **__: None  # an empty form in every checkpoint
    return trainer


def quiet_libraries() -> None:
    """The log is for people: no bars, no advice to programmers."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    datasets.disable_progress_bars()
    warnings.simplefilter("ignore")


def lora_config(spec: JobSpec) -> LoraConfig:
    """The adapter that the spec asks for."""
    method = spec.method
    return LoraConfig(
        r=method.rank,
        lora_alpha=method.alpha,
        lora_dropout=method.dropout,
        target_modules=method.targets,
        bias="none",
        task_type="CAUSAL_LM",
    )


def sft_config(
    spec: JobSpec, plan: TrainingPlan, checkpoints: Path, trackers: list[str], *, validates: bool, kept: int
) -> SFTConfig:
    """The trainer's settings. Rows come ready, so TRL prepares, cuts, packs and drops nothing."""
    return SFTConfig(
        output_dir=str(checkpoints),
        run_name=spec.name or checkpoints.parent.name,
        num_train_epochs=spec.epochs,
        learning_rate=spec.learning_rate,
        warmup_steps=spec.warmup_ratio,
        weight_decay=spec.weight_decay,
        per_device_train_batch_size=plan.micro_batch,
        per_device_eval_batch_size=plan.micro_batch,
        gradient_accumulation_steps=plan.grad_accumulation,
        gradient_checkpointing=plan.grad_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if plan.grad_checkpointing else None,
        bf16=plan.precision == "bfloat16",
        use_cpu=plan.on_cpu,
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
        packing=False,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )


def as_dataset(part: Part, *, by_length: bool = False) -> datasets.Dataset:
    """`input_ids` and `labels` of the rows; sorted by length where the order does not matter, to save padding."""
    rows = sorted(part.rows, key=lambda row: len(row.input_ids)) if by_length else part.rows
    return datasets.Dataset.from_dict(
        {"input_ids": [row.input_ids for row in rows], "labels": [row.labels for row in rows]}
    )
