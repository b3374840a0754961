"""Answers by chance, and adapters that take each other's place, with a true model of two small layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput, NotFound

# peft 0.21 asks transformers 5.23 a question under its old name.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")

PROMPTS = [[5, 6, 7, 8], [9, 10, 11], [40, 41, 42, 43, 44]]


@pytest.fixture
def model(base: Path, adapters: dict[str, Path]) -> Any:
    from serving.model import ChatModel

    # Exact in any batch: bfloat16 rounds, and weights at random have no favourite token to round to.
    return ChatModel.load(base, {"tuned": adapters["first"]}, precision="float32")


def sampled(model: Any, seed: int, temperature: float = 0.7) -> Any:
    from serving.sampled import SampledModel

    return SampledModel(model, temperature, seed)


def texts(model: Any, prompts: list[list[int]], adapter: str | None = None) -> list[str]:
    found = dict(model.completions(prompts, adapter=adapter, max_new_tokens=6))
    return [found[at].text for at in range(len(prompts))]


def test_draws_fall_as_often_as_the_softmax_says() -> None:
    import torch

    from serving.sampled import Draws

    logits = torch.tensor([2.0, 1.0, 0.0, -1.0])
    shares = torch.softmax(logits / 0.7, -1)
    draws = Draws([[row] for row in range(3000)], temperature=0.7, seed=3)
    drawn = draws(list(range(3000)), logits.expand(3000, 4)).argmax(dim=-1)
    assert torch.allclose(torch.bincount(drawn, minlength=4) / 3000, shares, atol=0.03)


def test_the_same_seed_says_the_same_and_another_seed_something_else(model: Any) -> None:
    first, same, other = (texts(sampled(model, seed), PROMPTS) for seed in (1, 1, 2))
    assert first == same and first != other
    assert texts(sampled(model, 1), PROMPTS, "tuned") != first


def test_a_prompt_has_its_own_chance_whoever_stands_beside_it(model: Any) -> None:
    chance = sampled(model, 1)
    assert texts(chance, PROMPTS) == [texts(chance, [prompt])[0] for prompt in PROMPTS]


def test_without_heat_the_likeliest_answer_comes(model: Any) -> None:
    greedy = [answer.text for answer in model.generate(PROMPTS, max_new_tokens=6)]
    assert texts(sampled(model, 1, 1e-4), PROMPTS) == greedy


def test_what_does_not_fit_is_empty_and_a_stop_ends_it(model: Any) -> None:
    chance = sampled(model, 1)
    found = dict(chance.completions([[5] * 400, []], max_new_tokens=4))
    assert all(answer.truncated and not answer.text for answer in found.values()) and len(found) == 2
    assert list(chance.completions(PROMPTS, max_new_tokens=4, stop=lambda: True)) == []


def test_an_adapter_takes_the_place_of_another_as_if_it_had_been_loaded(
    base: Path, adapters: dict[str, Path], model: Any, tmp_path: Path
) -> None:
    from serving.model import ChatModel

    def said(loaded: Any, adapter: str | None = "tuned") -> list[str]:
        return [answer.text for answer in loaded.generate(PROMPTS, adapter=adapter, max_new_tokens=6)]

    bare, first = said(model, None), said(model)
    model.swap_adapter("tuned", adapters["second"])
    second = said(model)
    assert second == said(ChatModel.load(base, {"tuned": adapters["second"]}, precision="float32")) != first
    assert said(model, None) == bare and model.adapters == ["tuned"]
    layers = sum("lora_A" in name for name, _ in model._network.named_parameters())
    assert layers == 14, "one adapter in memory: seven matrices in each of two layers"
    model.swap_adapter("tuned", adapters["first"])
    assert said(model) == first
    with pytest.raises(NotFound):
        model.swap_adapter("other", adapters["first"])
    with pytest.raises((NotFound, BadInput)):
        model.swap_adapter("tuned", tmp_path)
    assert said(model) == first, "what is refused at the door takes nothing away"
