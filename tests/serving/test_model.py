from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput, BaseModelUnavailable, NotFound
from core.machine import Machine
from serving.precision import resolve_precision

# peft 0.21 asks transformers 5.23 a question under its old name.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")


@pytest.fixture(scope="module")
def model(base: Path, adapters: dict[str, Path]) -> Any:
    from serving.model import ChatModel

    # Exact in any batch: bfloat16 rounds, and weights at random have no favourite token to round to.
    return ChatModel.load(base, adapters, precision="float32")


def prompts(count: int, prefix: int = 0) -> list[list[int]]:
    chance = random.Random(3)
    common = [chance.randrange(3, 280) for _ in range(prefix)]
    return [common + [chance.randrange(3, 280) for _ in range(chance.randrange(1, 30))] for _ in range(count)]


def plain_generate(model: Any, ids: list[int], tokens: int, adapter: str | None) -> str:
    """transformers' own generate, one prompt at a time, without our attention."""
    import torch

    network = model._network
    network.set_attn_implementation("sdpa")
    try:
        with model._using(adapter), torch.inference_mode():
            out = network.generate(
                torch.tensor([ids]),
                attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                max_new_tokens=tokens,
                do_sample=False,
            )
    finally:
        network.set_attn_implementation("tuneworthy_shared_prefix")
    return model._text(out[0, len(ids) :].tolist())


@pytest.mark.parametrize("adapter", [None, "first", "second"])
@pytest.mark.parametrize("prefix", [0, 40])
def test_a_batch_answers_as_transformers_does_one_by_one(model: Any, adapter: str | None, prefix: int) -> None:
    rows = prompts(9, prefix)
    batch = model.generate(rows, adapter=adapter, max_new_tokens=12)
    assert [answer.text for answer in batch] == [plain_generate(model, ids, 12, adapter) for ids in rows]
    assert any(answer.tokens for answer in batch)


def test_auto_takes_the_format_that_the_processor_computes_in(
    base: Path, adapters: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from serving import precision
    from serving.model import ChatModel

    for flags, expected in (([], torch.float32), (["avx512_bf16"], torch.bfloat16)):
        monkeypatch.setattr(precision, "machine", lambda flags=flags: Machine(cores=2, memory_gib=8, cpu_flags=flags))
        loaded = ChatModel.load(base, adapters)
        assert {weight.dtype for weight in loaded._network.parameters()} == {expected}
        # Rotary angles stay exact: rounded, far positions would run into each other.
        assert loaded._network.model.rotary_emb.inv_freq.dtype == torch.float32
        answers = loaded.generate(prompts(3, 40), adapter="second", max_new_tokens=4)
        assert all(answer.tokens for answer in answers)
    assert resolve_precision("float32", "cuda:0") == "float32"
    assert resolve_precision("auto", "cuda:0") == "bfloat16"


def test_adapters_change_the_answers_and_the_base_comes_back_unchanged(model: Any) -> None:
    rows = prompts(5)
    before = [answer.text for answer in model.generate(rows, max_new_tokens=8)]
    first = [answer.text for answer in model.generate(rows, adapter="first", max_new_tokens=8)]
    second = [answer.text for answer in model.generate(rows, adapter="second", max_new_tokens=8)]
    after = [answer.text for answer in model.generate(rows, max_new_tokens=8)]
    assert before == after
    assert len({tuple(before), tuple(first), tuple(second)}) == 3


def test_a_stream_says_the_same_as_a_batch(model: Any) -> None:
    ids = prompts(1)[0]
    assert "".join(model.stream(ids, adapter="first", max_new_tokens=20)) == (
        model.generate([ids], adapter="first", max_new_tokens=20)[0].text
    )


def test_a_row_that_ends_early_leaves_the_others_as_they_were(model: Any) -> None:
    # Rows get different room from the context, so they end at different steps and the batch is made smaller.
    chance = random.Random(5)
    rows = [[chance.randrange(3, 280) for _ in range(length)] for length in (250, 248, 240, 20, 10, 3)]
    together = model.generate(rows, max_new_tokens=30)
    alone = [model.generate([ids], max_new_tokens=30)[0] for ids in rows]
    assert [answer.text for answer in together] == [answer.text for answer in alone]
    assert together[0].tokens == 6
    assert len({answer.tokens for answer in together}) >= 3


def test_a_prompt_that_fills_the_context_gets_an_empty_truncated_answer(model: Any) -> None:
    answers = model.generate([[5] * 256, [5, 6]], max_new_tokens=4)
    assert answers[0].truncated and answers[0].tokens == 0
    assert answers[1].tokens > 0
    with pytest.raises(BadInput, match="256 tokens long"):
        next(model.stream([5] * 256, max_new_tokens=4))


def test_stop_ends_the_work_at_once(model: Any) -> None:
    calls = []
    answers = model.generate(prompts(4), max_new_tokens=200, stop=lambda: calls.append(1) is None and len(calls) > 3)
    assert len(calls) == 4
    assert all(answer.truncated and not answer.tokens for answer in answers)


def test_an_output_that_is_not_a_number_is_an_error(base: Path) -> None:
    import torch

    from core.errors import EngineError
    from serving.model import ChatModel

    broken = ChatModel.load(base)
    with torch.no_grad():
        broken._network.lm_head.weight.fill_(float("nan"))
    with pytest.raises(EngineError, match="not a number"):
        broken.generate([[4, 5]], max_new_tokens=3)


def test_an_unknown_adapter_is_named(model: Any) -> None:
    with pytest.raises(NotFound, match="third"):
        model.generate([[4, 5]], adapter="third", max_new_tokens=3)


def test_an_adapter_of_another_base_is_refused(base: Path, adapters: dict[str, Path], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    from serving.model import ChatModel

    folder = shutil.copytree(adapters["first"], tmp_path / "other")
    weights = load_file(folder / "adapter_model.safetensors")
    save_file({name: tensor.repeat(2, 2) for name, tensor in weights.items()}, folder / "adapter_model.safetensors")
    with pytest.raises(BadInput, match="does not fit"):
        ChatModel.load(base, {"other": folder})


def test_pickled_weights_are_never_opened(base: Path, adapters: dict[str, Path], tmp_path: Path) -> None:
    from serving.model import ChatModel

    folder = shutil.copytree(adapters["first"], tmp_path / "pickled")
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(NotFound, match="holds no adapter"):
        ChatModel.load(base, {"pickled": folder})
    broken = shutil.copytree(base, tmp_path / "base")
    (broken / "model.safetensors").rename(broken / "pytorch_model.bin")
    with pytest.raises(BaseModelUnavailable, match="cannot be loaded"):
        ChatModel.load(broken)
