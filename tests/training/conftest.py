"""A Llama of two small layers with random weights, a few rows to learn, and a run folder to train in."""

from __future__ import annotations

import gc
import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.home import new_id
from core.job import Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
COLOURS = ("red", "green", "blue", "grey")
THINGS = ("door", "roof", "fence", "boat", "chair", "lamp", "gate", "wall", "coat", "cup", "tent", "cart")
Rows = list[dict[str, list[dict[str, str]]]]
Train = Callable[..., tuple[Result, RunFolder]]


def build_base(folder: Path) -> Path:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([row["messages"][0]["content"] for row in colour_rows()], trainer)
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
        initializer_range=0.2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|im_start|>",
        "eos_token": "<|im_end|>",
        "pad_token": "<|im_end|>",
        "chat_template": TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return folder


def chat(question: str, answer: str) -> dict[str, list[dict[str, str]]]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def colour_rows() -> Rows:
    """48 rows of unlike lengths."""
    rows = []
    for at, thing in enumerate(THINGS):
        for place, colour in enumerate(COLOURS):
            extra = " It stands by the river, behind the old mill." if (at + place) % 3 == 0 else ""
            rows.append(chat(f"Please paint the {thing} {colour}.{extra}", f"{colour} {thing}"))
    return rows


def write_rows(path: Path, rows: list[Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.fixture(scope="module")
def light() -> Iterator[None]:
    """Models this small are slowed by threads, and by a garbage collector that looks through whole libraries."""
    with quietly():
        import torch

        import training.trainer  # noqa: F401
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with quietly():
        return build_base(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def train_file(tmp_path: Path) -> str:
    return write_rows(tmp_path / "train.jsonl", colour_rows()[:40])


@pytest.fixture
def validation_file(tmp_path: Path) -> str:
    return write_rows(tmp_path / "validation.jsonl", colour_rows()[40:])


@pytest.fixture
def spec(base: Path, train_file: str) -> JobSpec:
    """A training of 15 quick steps."""
    return JobSpec(
        base_model=str(base),
        dataset=train_file,
        epochs=3,
        micro_batch=8,
        learning_rate=2e-2,
        precision="float32",
        device="cpu",
        max_tokens=128,
        allow_network=False,
    )


class NeverAbrupt:
    """In the tests' own process nothing may be ended from outside."""

    @contextmanager
    def allowed(self, patience_seconds: float = 0.0) -> Iterator[None]:
        yield


@pytest.fixture
def train() -> Train:
    """Train in this process: `train(spec, folder=..., stop=...)` gives the result and the run folder."""

    def run(spec: JobSpec, folder: RunFolder | None = None, stop: Callable[[], bool] = lambda: False) -> Any:
        from core.base_models import locate
        from training.report import Report

        folder = folder or RunFolder.create(new_id("job"), spec)
        place = locate(spec.base_model).path
        assert place is not None
        with quietly():
            from training.sft import run_train

            # A fresh folder object, as a new worker would have.
            found = RunFolder(folder.path)
            return run_train(spec, found, place, Report(found), stop, NeverAbrupt()), folder  # type: ignore[arg-type]

    return run


@contextmanager
def quietly() -> Iterator[None]:
    """Libraries warn of their own affairs while they are imported and used; our own warnings stay errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def adapter_weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(folder / "adapter_model.safetensors"))


def steps_of(folder: RunFolder) -> list[int]:
    return [event.step for event in RunFolder(folder.path).events() if event.kind == "step"]


def losses_of(folder: RunFolder) -> dict[int, float]:
    return {event.step: event.values["loss"] for event in RunFolder(folder.path).events() if event.kind == "step"}


def validation_losses_of(folder: RunFolder) -> dict[int, float]:
    events = RunFolder(folder.path).events()
    return {event.step: event.values["validation_loss"] for event in events if event.kind == "validation"}
