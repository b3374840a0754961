"""Every method over every base and both ways of keeping activations: it trains and comes back, or is refused before."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from core.adapter_files import files_of
from core.home import new_id
from core.jobspec import LEARNING_RATES, JobSpec, MethodSpec
from core.run_folder import RunFolder
from training.checkpoints import all_checkpoints, step_of
from training.methods import METHODS
from training.methods.table import table
from training.specs import check_train_spec
from training.stop import Stopped

from .conftest import Train, build_base, colour_rows, losses_of, quietly, write_rows

pytestmark = pytest.mark.usefixtures("light")
VARIANTS: dict[str, dict[str, Any]] = {
    "lora": {"kind": "lora", "rank": 4},
    "rslora with dropout": {
        "kind": "lora",
        "rank": 4,
        "rslora": True,
        "dropout": 0.1,
        "targets": ["q_proj", "up_proj"],
    },
    "dora": {"kind": "lora", "rank": 4, "dora": True},
    "full": {"kind": "full"},
    "prefix": {"kind": "prefix", "virtual_tokens": 5},
    "prompt": {"kind": "prompt", "virtual_tokens": 5},
    "houlsby": {"kind": "bottleneck", "bottleneck_size": 8},
    "pfeiffer": {"kind": "bottleneck", "bottleneck_size": 8, "placement": "pfeiffer", "dropout": 0.1},
    "ia3": {"kind": "ia3"},
}
REFUSED = {
    **dict.fromkeys(itertools.product(["prefix"], ["on"], ("16", "8", "4")), "grad_checkpointing"),
    **dict.fromkeys(itertools.product(("full", "houlsby", "pfeiffer"), ("on", "off"), "84"), "method.bits"),
    **dict.fromkeys(itertools.product(["dora"], ("on", "off"), ["8"]), "method.dora"),
}
PAIRS = list(itertools.product(VARIANTS, ("off", "on"), ("16", "8", "4")))
TRAINED = [pair for pair in PAIRS if pair not in REFUSED]


def asked(name: str, way: str, bits: str, **more: Any) -> JobSpec:
    return JobSpec.model_validate(
        {
            "method": VARIANTS[name] | {"bits": bits},
            "grad_checkpointing": way,
            "micro_batch": 4,
            "epochs": 1,
            "precision": "float32",
            "device": "cpu",
            "max_tokens": 64,
            "warmup_ratio": 0.0,
            "learning_rate": 1e-2,
        }
        | more
    )


@pytest.fixture(scope="module")
def small_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with quietly():
        return build_base(tmp_path_factory.mktemp("methods") / "tiny")


@pytest.fixture(scope="module")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_rows(tmp_path_factory.mktemp("rows") / "train.jsonl", colour_rows()[:8])


def trainer_of(spec: JobSpec, base: Path, folder: Path) -> tuple[Any, Any]:
    from transformers import TrainerCallback

    from dataset.render import Renderer
    from training.plan import make_plan
    from training.report import Report
    from training.rows import load_part
    from training.trainer import build_trainer

    part = load_part(spec, str(spec.dataset), Renderer.from_folder(base), 64)
    plan = make_plan(spec, base, part, Report())
    trainer = build_trainer(
        spec,
        plan,
        base,
        part,
        None,
        checkpoints=folder / "checkpoints",
        trackers=[],
        watcher=TrainerCallback(),
        checkpoints_kept=1,
    )
    return trainer, plan


def logits(network: Any, before: Any = None) -> Any:
    """Of a fixed row; `before` are learned places, as the server hands them over."""
    import torch

    ids = torch.arange(5, 17)[None]
    extra: dict[str, Any] = {}
    if before is not None:
        extra = {"shared_prefix": before, "position_ids": torch.arange(12)[None] + before.tokens}
    with torch.no_grad():
        return network(ids, attention_mask=torch.ones_like(ids), use_cache=False, **extra).logits[:, -12:]


@pytest.mark.parametrize(("name", "way", "bits"), TRAINED)
def test_an_allowed_pair_trains_and_answers_the_same_from_the_disk(
    name: str, way: str, bits: str, small_base: Path, rows_file: str, tmp_path: Path
) -> None:
    if bits != "16":
        pytest.importorskip("bitsandbytes")
    spec = asked(name, way, bits, base_model=str(small_base), dataset=rows_file)
    assert check_train_spec(spec) == []
    with quietly():
        from serving.adapters import Adapters
        from serving.prefix import install
        from training.adapter import save_adapter
        from training.load_base import load_base

        trainer, plan = trainer_of(spec, small_base, tmp_path)
        assert trainer.args.gradient_checkpointing == (way == "on")
        trainer.args.save_strategy = "no"
        trainer.train()
        losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
        assert len(losses) == 2 and all(math.isfinite(loss) for loss in losses)
        trained = logits(trainer.model.eval())
        save_adapter(trainer.model, tmp_path / "adapter", "a/base", None)
        base = load_base(spec, plan, small_base)
        install(base)
        plain = logits(base)
        loaded = Adapters(base.eval(), "cpu")
        loaded.add("tuned", tmp_path / "adapter")
        with loaded.using("tuned") as network:
            again = logits(network.network, network.before)
        with loaded.using(None) as network:
            assert logits(network.network).equal(plain)
    # Eight bits round what goes into a layer too: a last digit that differs may fall into another step.
    assert again.allclose(trained, atol=0.15 if bits == "8" else 2e-4), float((again - trained).abs().max())
    assert not again.allclose(plain, atol=1e-3), "nothing was learned"


@pytest.mark.parametrize("pair", list(REFUSED), ids=" ".join)
def test_a_forbidden_pair_is_refused_with_its_reason_before_anything_is_loaded(pair: tuple[str, str, str]) -> None:
    (problem,) = check_train_spec(asked(*pair, dataset="rows.jsonl"))
    assert problem.where == REFUSED[pair] and problem.hint
    declared = METHODS[asked(*pair).method.kind]
    assert any(each.because in problem.what for each in declared.forbids)


@pytest.mark.parametrize("name", ["full", "prefix", "prompt", "houlsby", "ia3"])
def test_a_stopped_training_goes_on_as_if_it_had_never_stopped(
    name: str, small_base: Path, rows_file: str, train: Train
) -> None:
    spec = asked(name, "auto", "16", base_model=str(small_base), dataset=rows_file, epochs=2, save_steps=2)
    _, straight = train(spec)
    folder = RunFolder.create(new_id("job"), spec)
    with pytest.raises(Stopped):
        train(spec, folder, stop=lambda: 2 in losses_of(folder))
    checkpoint = all_checkpoints(folder.checkpoints)[0]
    assert step_of(checkpoint) == 3
    learned = files_of(straight.adapter)[1]
    if name != "full":
        assert not (checkpoint / "model.safetensors").exists()
        assert (checkpoint / learned.name).stat().st_size < 2 * learned.stat().st_size, "the base is in the checkpoint"
    result, _ = train(spec, folder)
    assert losses_of(folder) == pytest.approx(losses_of(straight), rel=1e-4)
    one, other = (load_file(files_of(each.adapter)[1]) for each in (straight, folder))
    assert all(other[weight].allclose(one[weight], atol=1e-5) for weight in one)
    told = json.loads((folder.adapter / "lineage.json").read_bytes())
    assert told["form"] == METHODS[spec.method.kind].form and told["weights_bytes"] == learned.stat().st_size
    said = " ".join(result.notes)
    assert ("whole model" in said) == (name == "full") and ("our own form" in said) == (name == "houlsby")


def test_every_kind_is_declared_once_and_everything_said_of_it_is_whole() -> None:
    assert set(METHODS) == set(LEARNING_RATES)
    for method in METHODS.values():
        assert method.trains and method.why.endswith(".") and method.rate_source
        assert set(method.settings) <= set(MethodSpec.model_fields)
        assert all(each.because.endswith(".") and each.hint.endswith(".") for each in method.forbids)


def test_the_page_shows_the_table_that_the_code_prints() -> None:
    page = Path(__file__).parents[2] / "docs" / "methods.md"
    assert table() in page.read_text(encoding="utf-8"), "put the output of `python -m training.methods.table` in it"


def test_a_spec_without_a_learning_rate_takes_that_of_its_method() -> None:
    for kind, rate in LEARNING_RATES.items():
        assert JobSpec.model_validate({"method": {"kind": kind}}).learning_rate == rate
    assert JobSpec().learning_rate == 1e-3
    assert JobSpec(method=MethodSpec(kind="full"), learning_rate=0.5).learning_rate == 0.5


def test_a_setting_of_another_method_is_said_to_change_nothing() -> None:
    spec = JobSpec(dataset="rows.jsonl", method=MethodSpec(kind="prefix", rank=8, dropout=0.1))
    assert {problem.where for problem in check_train_spec(spec)} == {"method.rank", "method.dropout"}


def test_fp8_names_the_card_that_it_needs() -> None:
    (problem,) = check_train_spec(JobSpec(dataset="rows.jsonl", device="cpu", method=MethodSpec(bits="fp8")))
    assert problem.where == "method.bits" and "Hopper" in problem.what and "no card" in problem.what


def test_paged_state_needs_a_card() -> None:
    spec = JobSpec(dataset="rows.jsonl", device="cpu", optimizer="adamw_8bit_paged")
    assert [problem.where for problem in check_train_spec(spec)] == ["optimizer"]


def test_without_bitsandbytes_few_bits_are_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.specs.importlib.util.find_spec", lambda name: None)
    (problem,) = check_train_spec(JobSpec(dataset="rows.jsonl", device="cpu", method=MethodSpec(bits="4")))
    assert "tuneworthy[quantized]" in problem.hint


def test_a_prefix_is_planned_without_checkpointing_however_little_memory_there_is(
    small_base: Path, rows_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import training.plan
    from dataset.render import Renderer
    from training.report import Report
    from training.rows import load_part

    monkeypatch.setattr(training.plan, "device_memory_gib", lambda device: 0.01)
    for name, checkpoints in (("prefix", False), ("prompt", True)):
        spec = asked(name, "auto", "16", base_model=str(small_base), dataset=rows_file)
        part = load_part(spec, rows_file, Renderer.from_folder(small_base), 64)
        plan = training.plan.make_plan(spec, small_base, part, Report())
        assert plan.grad_checkpointing == checkpoints, name


def test_a_whole_model_is_written_in_the_precision_of_its_run_and_tied_weights_once(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

    from training.methods import whole

    with quietly():
        config = LlamaConfig(
            vocab_size=300, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
            tie_word_embeddings=True,
        )  # fmt: skip
        model = LlamaForCausalLM(config)
        whole.save_in(model, "bfloat16")
        whole.save(model, tmp_path)
        again = AutoModelForCausalLM.from_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    assert "lm_head.weight" not in weights and {weight.dtype for weight in weights.values()} == {torch.bfloat16}
    assert again.dtype == torch.bfloat16
    assert again.lm_head.weight.equal(model.lm_head.weight.to(torch.bfloat16))
