"""Trainers side by side: each variant makes a model and steps, and is timed in a process of its own.

Names are read in parts: `ours fp8`, `peft checkpointing`, `trl nf4 defaults`, `unsloth nf4 offloaded`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.gpu.shape import make, make_nf4

LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
RANK = 16
WARM_UP_STEPS = 3


def rows(lengths: list[list[int]], seed: int = 0) -> Iterator[tuple[Any, Any]]:
    """Batches of random ids and of labels, padded at the end to the longest row of each."""
    import torch

    random = torch.Generator(device="cuda").manual_seed(seed)
    for batch in lengths:
        ids = torch.randint(4, 128_000, (len(batch), max(batch)), generator=random, device="cuda")
        places = torch.arange(max(batch), device="cuda")[None]
        real = places < torch.tensor(batch, device="cuda")[:, None]
        yield ids * real, torch.where(real, ids, -100)


def timed(step: Callable[[Any, Any], Any], model: Any, lengths: list[list[int]]) -> dict[str, float]:
    """Seconds of the steps after the warm-up, and peaks."""
    import torch

    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=1e-4, fused=True)
    seconds, loss = [], None
    torch.cuda.reset_peak_memory_stats()
    started = time.monotonic()
    first = None
    for ids, labels in rows(lengths):
        torch.cuda.synchronize()
        begun = time.monotonic()
        loss = step(ids, labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        torch.cuda.synchronize()
        seconds.append(time.monotonic() - begun)
        first = first or time.monotonic() - started
    return {"first_step_s": first or 0.0, "loss": float(loss.detach()), **_summary(seconds, lengths)}


def _summary(seconds: list[float], lengths: list[list[int]]) -> dict[str, float]:
    import torch

    kept = seconds[WARM_UP_STEPS:]
    tokens = sum(map(sum, lengths[WARM_UP_STEPS:]))
    per_token = sorted(each / sum(batch) for each, batch in zip(kept, lengths[WARM_UP_STEPS:], strict=True))
    return {
        "tokens_per_second": 1 / per_token[len(per_token) // 2]
        if len(set(map(len, lengths))) == 1
        else tokens / sum(kept),
        "step_s": sorted(kept)[len(kept) // 2],
        "spread": (max(kept) - min(kept)) / min(kept),
        "peak_gib": torch.cuda.max_memory_allocated() / 2**30,
        "reserved_gib": torch.cuda.max_memory_reserved() / 2**30,
    }


def lora() -> Any:
    """The adapter that all variants train."""
    from peft import LoraConfig

    return LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=LINEARS, lora_dropout=0.0, task_type="CAUSAL_LM")


def nf4(folder: str) -> Any:
    """The base in NF4 with double quantisation, from disk."""
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    return AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=torch.bfloat16,
        device_map={"": 0},
        quantization_config=BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        ),
    )


def ours(words: set[str], folder: str, lengths: list[list[int]]) -> dict[str, float]:
    """Our layers and loss: `fp8`, `nf4`, `tight` (recomputed, inputs on the host), `recompute-N`."""
    from peft import get_peft_model

    from training.kernels.install import decoder_of, install
    from training.kernels.loss import answer_loss

    model = get_peft_model(make_nf4() if "nf4" in words else make(), lora())
    head = model.get_base_model().lm_head.weight
    recomputed = next(
        (int(word[10:]) for word in words if word.startswith("recompute-")), 32 if "tight" in words else 0
    )
    install(model, fp8="fp8" in words, recompute_layers=recomputed, offload="tight" in words)
    slice_bytes = 2**27 if "tight" in words else 2**29

    def step(ids: Any, labels: Any) -> Any:
        hidden = decoder_of(model)(input_ids=ids, use_cache=False).last_hidden_state
        wanted = labels[:, 1:].reshape(-1)
        count = float((wanted != -100).sum())
        return answer_loss(hidden[:, :-1].reshape(wanted.numel(), -1), head, wanted, count, slice_bytes=slice_bytes)

    model.train()
    import torch

    torch.cuda.empty_cache()
    return timed(step, model, lengths)


def peft(words: set[str], folder: str, lengths: list[list[int]]) -> dict[str, float]:
    """transformers and PEFT in a plain loop: `checkpointing`, `liger`, `nf4`."""
    import torch
    from peft import get_peft_model

    base = make_nf4() if "nf4" in words else make()
    if "liger" in words:
        from liger_kernel.transformers import _apply_liger_kernel_to_instance

        _apply_liger_kernel_to_instance(model=base)
    model = get_peft_model(base, lora())
    model.enable_input_require_grads()
    model.config.use_cache = False
    if "checkpointing" in words:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.train()

    def step(ids: Any, labels: Any) -> Any:
        with torch.autocast("cuda", torch.bfloat16):
            return model(input_ids=ids, labels=labels).loss

    return timed(step, model, lengths)


def unsloth(words: set[str], folder: str, lengths: list[list[int]]) -> dict[str, float]:
    """Unsloth's model under TRL's trainer: `nf4`, `offloaded` (its checkpointing) or none."""
    import torch
    from unsloth import FastLanguageModel  # before trl, which it changes

    longest = max(map(max, lengths))
    model, tokenizer = FastLanguageModel.from_pretrained(
        folder, max_seq_length=longest, dtype=torch.bfloat16, load_in_4bit="nf4" in words, local_files_only=True
    )
    model = FastLanguageModel.get_peft_model(
        model,
        r=RANK,
        lora_alpha=2 * RANK,
        target_modules=LINEARS,
        lora_dropout=0,
        bias="none",
        use_gradient_checkpointing="unsloth" if "offloaded" in words else False,
    )
    return _trained(model, tokenizer, lengths, {"dataset_kwargs": {"skip_prepare_dataset": True}})


def trl(words: set[str], folder: str, lengths: list[list[int]]) -> dict[str, float]:
    """TRL's trainer with its defaults, or with Liger and without checkpointing (`liger`)."""
    from transformers import AutoTokenizer

    settings = {"use_liger_kernel": True, "gradient_checkpointing": False} if "liger" in words else {}
    base = nf4(folder) if "nf4" in words else make()
    return _trained(base, AutoTokenizer.from_pretrained(folder), lengths, settings, peft_config=lora())


def _trained(
    model: Any, tokenizer: Any, lengths: list[list[int]], settings: dict[str, Any], **more: Any
) -> dict[str, float]:
    import torch
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    seconds: list[float] = []

    class Clock(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            torch.cuda.synchronize()
            self.begun = time.monotonic()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            torch.cuda.synchronize()
            seconds.append(time.monotonic() - self.begun)

    batches = [(ids.tolist(), labels.tolist()) for ids, labels in rows(lengths)]
    data = Dataset.from_dict(
        {
            "input_ids": [
                row[: batch_lengths[at]]
                for (ids, _), batch_lengths in zip(batches, lengths, strict=True)
                for at, row in enumerate(ids)
            ],
            "labels": [
                row[: batch_lengths[at]]
                for (_, labels), batch_lengths in zip(batches, lengths, strict=True)
                for at, row in enumerate(labels)
            ],
        }
    )
    data = data.add_column("attention_mask", [[1] * len(row) for row in data["input_ids"]])
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            output_dir=tempfile.mkdtemp(),
            per_device_train_batch_size=len(lengths[0]),
            gradient_accumulation_steps=1,
            max_steps=len(lengths),
            max_length=max(map(max, lengths)),
            bf16=True,
            report_to="none",
            save_strategy="no",
            logging_steps=1,
            optim="adamw_torch_fused",
            **settings,
        ),
        train_dataset=data,
        processing_class=tokenizer,
        **more,
    )
    trainer.add_callback(Clock())
    # In the order given, so that batches of like length stay together for everybody.
    trainer._get_train_sampler = lambda *_: torch.utils.data.SequentialSampler(data)
    torch.cuda.reset_peak_memory_stats()
    outcome = trainer.train()
    return {"first_step_s": seconds[0], "loss": float(outcome.training_loss), **_summary(seconds, lengths)}


FAMILIES = {"ours": ours, "peft": peft, "unsloth": unsloth, "trl": trl}
