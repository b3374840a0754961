from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput, EngineError

# peft 0.21 asks transformers 5.23 a question under its old name.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")


@pytest.fixture(scope="module")
def model(base: Path, adapters: dict[str, Path]) -> Any:
    from serving.model import ChatModel

    return ChatModel.load(base, adapters, precision="float32")


def one_by_one(model: Any, context: list[int], choice: list[int], adapter: str | None) -> float:
    """A forward pass of its own for each choice, as the definition says."""
    import torch

    with model._using(adapter), torch.inference_mode():
        logits = model._network(torch.tensor([context + choice])).logits[0].float().log_softmax(-1)
    return sum(float(logits[len(context) - 1 + at, token]) for at, token in enumerate(choice))


def questions(count: int) -> list[tuple[list[int], list[list[int]]]]:
    chance = random.Random(5)

    def ids(most: int) -> list[int]:
        return [chance.randrange(3, 280) for _ in range(chance.randrange(1, most))]

    return [(ids(30), [ids(7) for _ in range(chance.randrange(1, 6))]) for _ in range(count)]


@pytest.mark.parametrize("adapter", [None, "first"])
def test_choices_side_by_side_are_as_likely_as_one_by_one(model: Any, adapter: str | None) -> None:
    asked = questions(40)
    found = dict(model.likelihoods(asked, adapter=adapter))
    assert sorted(found) == list(range(40))
    for index, (context, choices) in enumerate(asked):
        expected = [one_by_one(model, context, choice, adapter) for choice in choices]
        assert found[index] == pytest.approx(expected, abs=1e-3)


def test_a_text_longer_than_the_context_loses_its_beginning(model: Any) -> None:
    long = [7] * 1000
    ((_, (found,)),) = model.likelihoods([(long, [[9, 11]])])
    assert found == pytest.approx(one_by_one(model, long[-(model.context - 2) :], [9, 11], None), abs=1e-3)


def test_a_choice_that_fills_the_context_alone_is_an_error_and_not_a_number(model: Any) -> None:
    ((_, (found,)),) = model.likelihoods([([7, 8], [[9] * (model.context - 1)])])
    assert found < 0
    with pytest.raises(BadInput, match=rf"a choice of question 2 is {model.context} tokens long"):
        list(model.likelihoods([([7], [[9]]), ([7], [[9], [9] * model.context])]))


def test_it_ends_between_batches_when_it_is_told_to(model: Any) -> None:
    assert list(model.likelihoods(questions(4), stop=lambda: True)) == []


def test_a_model_that_answers_in_nothing_says_so(model: Any) -> None:
    head = model._network.get_output_embeddings()
    kept = head.weight.data.clone()
    head.weight.data.fill_(float("nan"))
    try:
        with pytest.raises(EngineError, match="not a number"):
            list(model.likelihoods(questions(2)))
    finally:
        head.weight.data.copy_(kept)
