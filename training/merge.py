"""Merging: an adapter is added into the weights of its base, and the two are compared before anybody trusts the result.

In the run folder it leaves `merged/` (a base model by itself), `merge.json` (what was compared) and `judge.yaml`, a
spec with which the merged model is judged.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import torch
import yaml
from pydantic import BaseModel, ConfigDict
from transformers import AutoModelForCausalLM
from transformers.utils import logging as transformers_logging

from core.adapter_files import TOKENIZER_FILES
from core.errors import BadInput, TuneworthyError
from core.job import Measured, Result
from core.jobspec import JobSpec
from core.machine import resolve_device
from core.run_folder import RunFolder, write_atomically
from dataset.job_rows import read_for_job
from dataset.render import Renderer
from dataset.row import Message
from training.disk import require_free_bytes
from training.lineage import FILE as LINEAGE
from training.measure import peak_memory_gib
from training.merge_specs import adapter_folder, refuse_unmergeable
from training.methods.whole import ONE_FILE
from training.report import Report

PROMPTS = 8
ANSWER_TOKENS = 32
NEUTRAL = ("Name three colours.", "What is 12 plus 30?", "Write one sentence about rain.", "Say hello in French.")
"""Asked where the rows of the training are not at hand."""


class Comparison(BaseModel):
    """`merge.json`: the adapter on its base, beside the merged weights as they were read back from the disk."""

    model_config = ConfigDict(extra="forbid")
    prompts: int
    answer_tokens: int
    """Most tokens of each answer; the most likely token is taken each time."""
    share_equal: float
    """Share of the prompts with the same answer, token by token."""
    largest_logit_difference: float
    """Over all prompts and the whole vocabulary, at the end of the prompt."""
    largest_logit: float
    """Of the adapter's own, to know what is large."""
    dtype: str
    adapter: str
    seconds: float

    @property
    def words(self) -> str:
        """For the notes of the job."""
        return (
            f"Merged and adapter give the same answer to {self.share_equal:.0%} of {self.prompts} prompts; the largest "
            f"difference of a logit is {self.largest_logit_difference:.2g} (largest logit {self.largest_logit:.3g})."
        )


def run_merge(spec: JobSpec, folder: RunFolder, base: Path, report: Report) -> Result:
    """Merge the adapter that the spec names into the model in the folder `base`.

    Raises `BadInput` for one that cannot be merged, `StoreError` where the disk has no room for another base.
    """
    started = time.monotonic()
    adapter = adapter_folder(spec)
    refuse_unmergeable(adapter)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    require_free_bytes(folder.path, sum(file.stat().st_size for file in base.glob("*.safetensors")), "TUNEWORTHY_HOME")
    device = resolve_device(spec.device)
    prompts = _prompts(spec, base)
    report.stage("Answering with the adapter")
    tuned = _with_adapter(base, adapter, device)
    before = _answers(tuned, prompts)
    report.stage("Merging")
    merged = tuned.merge_and_unload(safe_merge=True)
    target = folder.path / "merged"
    _save(merged, base, adapter, target)
    dtype = str(merged.dtype).removeprefix("torch.")
    del tuned, merged
    gc.collect()
    report.stage("Answering with the merged model")
    after = _answers(_load(target, device), prompts)
    found = Comparison(
        prompts=len(prompts),
        answer_tokens=ANSWER_TOKENS,
        share_equal=sum(one[1] == other[1] for one, other in zip(before, after, strict=True)) / len(prompts),
        largest_logit_difference=max(
            float((one[0] - other[0]).abs().max()) for one, other in zip(before, after, strict=True)
        ),
        largest_logit=max(float(logits.abs().max()) for logits, _ in before),
        dtype=dtype,
        adapter=str(adapter),
        seconds=round(time.monotonic() - started, 1),
    )
    write_atomically(folder.path / "merge.json", found.model_dump_json(indent=2))
    judge = _judge_spec(spec, target)
    write_atomically(folder.path / "judge.yaml", yaml.safe_dump(judge, sort_keys=False, allow_unicode=True))
    bits = _trained_over(target)
    over = [f"It was trained over a base in {bits} bits and merged into one in 16: that alone changes answers."]
    return Result(
        metrics={"share_equal": found.share_equal, "largest_logit_difference": found.largest_logit_difference},
        measured=Measured(memory_gib=round(peak_memory_gib(device), 3), seconds=found.seconds),
        notes=[
            f"The merged model is in {target}.",
            found.words,
            *(over if bits != "16" else []),
            "It is another model than the one that was judged, and its verdict does not hold for it: "
            f"judge it again with {folder.path / 'judge.yaml'}.",
        ],
    )


def _load(folder: Path, device: str) -> Any:
    """In the number format that the folder is stored in: the comparison is of what will be served."""
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype="auto", local_files_only=True, trust_remote_code=False, use_safetensors=True
    )
    return model.to(device).eval()


def _with_adapter(base: Path, adapter: Path, device: str) -> Any:
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(_load(base, device), str(adapter), autocast_adapter_dtype=False).eval()
    except (RuntimeError, ValueError, KeyError) as error:
        raise BadInput(f"the adapter {adapter} does not fit this base.", "Was it trained on another base?") from error


def _answers(model: Any, prompts: list[list[int]]) -> list[tuple[Any, list[int]]]:
    """For each prompt the logits at its end (vocabulary) in float32, and the tokens of the most likely answer."""
    found = []
    for ids in prompts:
        asked = torch.tensor([ids], device=model.device)
        with torch.inference_mode():
            logits = model(input_ids=asked, attention_mask=torch.ones_like(asked)).logits[0, -1].float().cpu()
            written = model.generate(
                input_ids=asked,
                attention_mask=torch.ones_like(asked),
                max_new_tokens=ANSWER_TOKENS,
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                pad_token_id=0,
            )
        found.append((logits, written[0, len(ids) :].tolist()))
    return found


def _save(model: Any, base: Path, adapter: Path, target: Path) -> None:
    """A folder that is a base by itself, there whole or not at all, with the lineage of the adapter in it."""
    work = target.with_name(".merged.new")
    shutil.rmtree(work, ignore_errors=True)
    model.save_pretrained(work, max_shard_size=ONE_FILE)
    for name in TOKENIZER_FILES:
        if (base / name).is_file() and not (work / name).is_file():
            shutil.copyfile(base / name, work / name)
    for lineage in (adapter / LINEAGE, adapter.parent / LINEAGE):
        if lineage.is_file():
            told = json.loads(lineage.read_bytes())
            write_atomically(work / LINEAGE, json.dumps(told | {"merged_from": str(adapter)}, indent=2))
            break
    shutil.rmtree(target, ignore_errors=True)
    os.rename(work, target)


def _trained_over(merged: Path) -> str:
    """Bits of the base while the adapter was trained, as its lineage says; 16 where nothing says so."""
    try:
        return str(json.loads((merged / LINEAGE).read_bytes())["spec"]["method"]["bits"])
    except (OSError, ValueError, KeyError, TypeError):
        return "16"


def _prompts(spec: JobSpec, base: Path) -> list[list[int]]:
    """Prompts of the rows that were held out of the training, or of the training, or neutral ones of ours."""
    renderer = Renderer.from_folder(base)
    for path in (spec.test, spec.validation, spec.dataset):
        if path is None:
            continue
        try:
            rows = read_for_job(spec, path).rows[:PROMPTS]
            found = [renderer.encode_prompt(row.asked) for row in rows]
        except TuneworthyError:
            continue
        if found:
            return [ids[-spec.max_tokens :] for ids in found]
    return [renderer.encode_prompt([Message("user", text)]) for text in NEUTRAL]


def _judge_spec(spec: JobSpec, merged: Path) -> dict[str, object]:
    """An evaluate spec with the merged model in the place of the tuned one, beside the same base and rows."""
    kept = ("dataset", "validation", "test", "shifted", "inputs", "output", "records", "template", "system_prompt")
    told: dict[str, object] = {"kind": "evaluate", "name": f"{spec.name} (merged)".strip()}
    told |= {"base_model": spec.base_model, "adapter": str(merged), "device": spec.device}
    if spec.base_revision:
        told["base_revision"] = spec.base_revision
    return told | {name: value for name in kept if (value := getattr(spec, name)) is not None}
