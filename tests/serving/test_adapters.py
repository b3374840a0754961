"""Adapters of every form beside one base: each answers as the model that it was saved from, and none stays on."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput, NotFound

from .test_model import prompts

# peft 0.21 asks transformers 5.23 a question under its old name.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")
Reads = Callable[[list[int]], Any]
VIRTUAL = 5


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Models this small are slowed by more."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folders(base: Path, adapters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("forms")
    made = {
        name: _save(name, base, root / name) for name in ("ia3", "prefix", "prompt", "houlsby", "pfeiffer", "whole")
    }
    return {"lora": adapters["first"]} | made


@pytest.fixture(scope="module")
def model(base: Path, folders: dict[str, Path]) -> Any:
    from serving.model import ChatModel

    return ChatModel.load(base, folders, precision="float32")


def _save(name: str, base: Path, folder: Path) -> Path:
    import torch

    tuned = _tuned(name, base)
    torch.manual_seed(len(name))
    for weight in tuned.parameters():
        if weight.requires_grad:
            weight.data.add_(torch.randn_like(weight) * 0.2)
    if hasattr(tuned, "added"):
        tuned.added.save(folder)
    else:
        tuned.save_pretrained(folder)
    return folder


def _tuned(name: str, base: Path) -> Any:
    from peft import IA3Config, PrefixTuningConfig, PromptTuningConfig, get_peft_model
    from transformers import LlamaForCausalLM

    from serving.bottleneck import BottleneckConfig, Bottlenecks

    network = LlamaForCausalLM.from_pretrained(base)
    if name == "whole":
        return network
    if name in ("houlsby", "pfeiffer"):
        network.requires_grad_(False)
        network.added = Bottlenecks(network, BottleneckConfig(bottleneck_size=8, placement=name))
        return network
    config = {
        "ia3": IA3Config(task_type="CAUSAL_LM"),
        "prefix": PrefixTuningConfig(num_virtual_tokens=VIRTUAL, task_type="CAUSAL_LM"),
        "prompt": PromptTuningConfig(num_virtual_tokens=VIRTUAL, task_type="CAUSAL_LM"),
    }[name]
    return get_peft_model(network, config)


def reader(name: str, base: Path, folder: Path) -> Reads:
    """The logits of a row, by the library's own model and without any cache of ours."""
    import torch
    from peft import PeftModel
    from transformers import LlamaForCausalLM

    if name in ("houlsby", "pfeiffer"):
        network = _tuned(name, base)
        network.added.restore(folder)
    else:
        network = LlamaForCausalLM.from_pretrained(folder if name == "whole" else base)
        network = network if name == "whole" else PeftModel.from_pretrained(network, folder)
    network.eval()

    def read(ids: list[int]) -> Any:
        with torch.no_grad():
            told = network(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long)).logits[0]
        return told[-len(ids) :]  # of a learned prompt, its own places come first

    return read


@pytest.mark.parametrize("name", ["lora", "ia3", "prefix", "prompt", "houlsby", "pfeiffer", "whole"])
@pytest.mark.parametrize("shared", [0, 40])
def test_each_answers_as_the_model_that_it_was_saved_from(
    name: str, shared: int, model: Any, base: Path, folders: dict[str, Path]
) -> None:
    rows = prompts(5, shared)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = reader(name, base, folders[name])
        expected = []
        for row in rows:
            ids = list(row)
            while len(ids) < len(row) + 6 and not (len(ids) > len(row) and ids[-1] in model.end_ids):
                ids.append(int(read(ids)[-1].argmax()))
            expected.append(model._text(ids[len(row) :]))
    answers = model.generate(rows, adapter=name, max_new_tokens=6)
    assert [answer.text for answer in answers] == expected
    assert expected != [answer.text for answer in model.generate(rows, max_new_tokens=6)]
    assert "".join(model.stream(rows[0], adapter=name, max_new_tokens=6)) == expected[0]


@pytest.mark.parametrize("name", ["ia3", "prefix", "prompt", "pfeiffer"])
def test_likelihoods_are_those_of_the_tuned_model(name: str, model: Any, base: Path, folders: dict[str, Path]) -> None:
    questions = [([5, 6, 7, 8], [[9, 10], [11]]), ([12, 13], [[14], [15, 16, 17]])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = reader(name, base, folders[name])
        expected = {}
        for index, (context, choices) in enumerate(questions):
            sums = []
            for choice in choices:
                told = read(context + choice).log_softmax(-1)[len(context) - 1 : -1]
                sums.append(float(sum(told[at, token] for at, token in enumerate(choice))))
            expected[index] = sums
    for index, found in model.likelihoods(questions, adapter=name):
        assert found == pytest.approx(expected[index], abs=1e-3)


def test_the_base_answers_as_if_nothing_was_loaded_beside_it(model: Any, base: Path) -> None:
    from serving.model import ChatModel

    rows = prompts(4)
    for name in model.adapters:
        model.generate(rows, adapter=name, max_new_tokens=2)
    alone = ChatModel.load(base, precision="float32")
    assert [each.text for each in model.generate(rows, max_new_tokens=8)] == (
        [each.text for each in alone.generate(rows, max_new_tokens=8)]
    )


def test_learned_places_take_room_from_the_context(model: Any) -> None:
    assert model.room_for(None) == model.room_for("lora") == 256
    assert model.room_for("prefix") == model.room_for("prompt") == 256 - VIRTUAL
    full, fits = model.generate([[5] * 251, [5] * 250], adapter="prompt", max_new_tokens=4)
    assert full.truncated and full.tokens == 0 and fits.tokens == 1


def test_one_form_can_take_the_place_of_another(base: Path, folders: dict[str, Path]) -> None:
    from serving.model import ChatModel

    rows = prompts(3)
    loaded = ChatModel.load(base, {"tuned": folders["lora"], "kept": folders["ia3"]}, precision="float32")
    plain = [each.text for each in loaded.generate(rows, max_new_tokens=5)]
    for name in ("houlsby", "prefix", "lora", "ia3", "whole"):
        loaded.swap_adapter("tuned", folders[name])
        alone = ChatModel.load(base, {"it": folders[name]}, precision="float32")
        said = [each.text for each in loaded.generate(rows, adapter="tuned", max_new_tokens=5)]
        assert said == [each.text for each in alone.generate(rows, adapter="it", max_new_tokens=5)], name
        assert plain == [each.text for each in loaded.generate(rows, max_new_tokens=5)], name


def test_fresh_adapter_layers_change_nothing(base: Path) -> None:
    import torch
    from transformers import LlamaForCausalLM

    network = LlamaForCausalLM.from_pretrained(base).eval()
    ids = torch.arange(5, 25)[None]
    with torch.no_grad():
        plain = network(ids).logits
        tuned = _tuned("houlsby", base).eval()
        assert tuned(ids).logits.equal(plain)
    assert len(tuned.added.layers) == 4 and len(_tuned("pfeiffer", base).added.layers) == 2


def test_adapter_layers_say_that_nobody_else_loads_them(base: Path, folders: dict[str, Path]) -> None:
    from peft import PeftModel
    from transformers import LlamaForCausalLM

    told = json.loads((folders["houlsby"] / "adapter_config.json").read_bytes())
    assert "PEFT does not load it" in told["note"] and "cannot be merged" in told["note"]
    with pytest.raises(Exception, match=r"peft_type|PEFT|KeyError"):
        PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(base), folders["houlsby"])


@pytest.mark.parametrize("name", ["ia3", "prefix", "prompt", "houlsby"])
def test_what_was_learned_on_another_base_is_refused(
    name: str, base: Path, folders: dict[str, Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    from serving.model import ChatModel

    folder = shutil.copytree(folders[name], tmp_path / name)
    weights = load_file(folder / "adapter_model.safetensors")
    wrong = {each: weight[..., :7].contiguous() for each, weight in weights.items()}
    wrong = {each: weight[:7].contiguous() for each, weight in wrong.items()}
    save_file(wrong, folder / "adapter_model.safetensors")
    with pytest.raises(BadInput, match="does not fit"):
        ChatModel.load(base, {"other": folder})


def test_a_base_with_sliding_windows_takes_no_learned_places(folders: dict[str, Path], tmp_path: Path) -> None:
    from transformers import MistralConfig, MistralForCausalLM

    from serving.virtual_tokens import load_virtual_tokens

    config = MistralConfig(
        vocab_size=50, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, sliding_window=8,
    )  # fmt: skip
    with pytest.raises(BadInput, match="reaches back to the beginning"):
        load_virtual_tokens(MistralForCausalLM(config), folders["prompt"], "cpu")


def test_a_folder_with_settings_of_an_unknown_kind_is_named(folders: dict[str, Path], tmp_path: Path) -> None:
    from serving.adapter_files import check_adapter

    folder = shutil.copytree(folders["ia3"], tmp_path / "odd")
    (folder / "adapter_config.json").write_text('{"peft_type": "LOHA"}')
    with pytest.raises(BadInput, match="LOHA"):
        check_adapter(folder)
    (folder / "adapter_config.json").write_text("[]")
    with pytest.raises(BadInput, match="named fields"):
        check_adapter(folder)
    (folder / "adapter_config.json").unlink()
    with pytest.raises(NotFound, match="holds no adapter"):
        check_adapter(folder)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"init_lora_weights": "pissa_niter_16"}, "began as pissa"),
        ({"init_lora_weights": "olora"}, "began as olora"),
        ({"bias": "lora_only"}, "biases of its own"),
        ({"layer_replication": [[0, 2], [1, 2]]}, "repeats layers"),
    ],
)
def test_an_adapter_that_would_change_the_base_beside_it_is_refused(
    told: dict[str, Any], words: str, adapters: dict[str, Path], tmp_path: Path
) -> None:
    from serving.adapter_files import check_adapter

    folder = shutil.copytree(adapters["first"], tmp_path / "changes")
    config = folder / "adapter_config.json"
    settings = json.loads(config.read_bytes())
    for plain in (True, "gaussian"):
        config.write_text(json.dumps(settings | {"init_lora_weights": plain}))
        assert check_adapter(folder) == "LORA"
    config.write_text(json.dumps(settings | told))
    with pytest.raises(BadInput, match=words):
        check_adapter(folder)


def test_a_base_gets_back_the_layers_that_an_adapter_has_tuned_whole(base: Path, tmp_path: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaForCausalLM

    from serving.model import ChatModel

    config = LoraConfig(r=2, target_modules=["q_proj"], modules_to_save=["lm_head"], task_type="CAUSAL_LM")
    tuned = get_peft_model(LlamaForCausalLM.from_pretrained(base), config)
    torch.manual_seed(3)
    for weight in tuned.parameters():
        if weight.requires_grad:
            weight.data.add_(torch.randn_like(weight) * 0.3)
    tuned.save_pretrained(tmp_path / "head")
    rows = prompts(3)
    plain = [each.text for each in ChatModel.load(base, precision="float32").generate(rows, max_new_tokens=6)]
    model = ChatModel.load(base, {"head": tmp_path / "head"}, precision="float32")
    assert [each.text for each in model.generate(rows, adapter="head", max_new_tokens=6)] != plain
    assert [each.text for each in model.generate(rows, max_new_tokens=6)] == plain
    model._adapters.remove("head")
    assert [each.text for each in model.generate(rows, max_new_tokens=6)] == plain
