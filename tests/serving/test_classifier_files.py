"""A classifier's folder is plain data: it opens whole or is refused with a reason, whatever lies in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.adapter_files import files_of, is_whole_model, parts_of
from core.errors import BadInput, NotFound
from serving.classic_classifier import save_classic, unfitted
from serving.classifier import FILE, WEIGHTS, load_classifier, read_card
from training.classic import FittedClassic, fit_classic

TEXTS = [f"{what} {place}" for what in ("my card is lost", "the fee is wrong", "oh, il pleut !") for place in "abcd"]
LABELS = [label for label in ("card", "fee", "Wetter äöü") for _ in "abcd"]
UNSEEN = ["card lost again", "a wrong fee?", "", "zzz 💳", "il pleut", "fee card"]


@pytest.fixture(scope="module")
def fitted() -> FittedClassic:
    return fit_classic(TEXTS, LABELS, seed=7)


@pytest.fixture(scope="module")
def folder(fitted: FittedClassic, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models") / "classic"
    save_classic(made, fitted.card, fitted.weights)
    return made


def test_a_saved_classifier_says_what_scikit_learn_says(folder: Path) -> None:
    reference = unfitted(7).fit(TEXTS, LABELS)
    classifier = load_classifier(folder)
    asked = [*TEXTS, *UNSEEN]
    assert [said.label for said in classifier.sort(asked)] == list(reference.predict(asked))
    likely = [max(row) for row in reference.predict_proba(asked)]
    assert np.allclose([said.share for said in classifier.sort(asked)], likely, atol=1e-5)


def test_two_labels_are_enough(tmp_path: Path) -> None:
    made = fit_classic(TEXTS[:8], LABELS[:8], seed=7)
    save_classic(tmp_path / "two", made.card, made.weights)
    reference = unfitted(7).fit(TEXTS[:8], LABELS[:8])
    classifier = load_classifier(tmp_path / "two")
    assert [said.label for said in classifier.sort(UNSEEN)] == list(reference.predict(UNSEEN))
    assert np.allclose(
        [said.share for said in classifier.sort(UNSEEN)], reference.predict_proba(UNSEEN).max(axis=1), atol=1e-5
    )


def test_no_text_gets_no_label(folder: Path) -> None:
    assert load_classifier(folder).sort([]) == []


def test_one_label_cannot_be_chosen_among() -> None:
    with pytest.raises(BadInput, match="same answer"):
        fit_classic(TEXTS, ["card"] * len(TEXTS), seed=7)


def test_rows_without_a_word_cannot_be_learned() -> None:
    with pytest.raises(BadInput, match="no row has a text"):
        fit_classic([" "] * 4, ["a", "a", "b", "b"], seed=7)


def test_a_folder_of_a_classifier_is_no_whole_model(folder: Path) -> None:
    assert files_of(folder) == (folder / FILE, folder / WEIGHTS) and not is_whole_model(folder)
    assert parts_of(folder) == [folder / FILE, folder / WEIGHTS]


def test_an_empty_folder_holds_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no classifier"):
        load_classifier(tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": ["card", "fee", "fee"]}, "twice"),
        ({"labels": ["card", "fee"]}, "`coef` is float32"),
        ({"version": 2}, "version"),
        ({"form": "magic"}, "form"),
        ({"pattern": "(a+)+$"}, "pattern"),
        ({"words": [], "pieces": []}, "knows words or pieces"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(folder: Path, tmp_path: Path, change: dict[str, Any], says: str) -> None:
    told = json.loads((folder / FILE).read_bytes()) | change
    with pytest.raises(BadInput, match=says):
        load_classifier(_copy(folder, tmp_path, card=json.dumps(told).encode()))


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("coef", np.full((3, 1), 1.0, np.float32)),
        ("intercept", np.array([0.0, np.nan, 0.0], np.float32)),
        ("intercept", np.array([0.0, 0.0, 0.0], np.float64)),
        ("more", np.zeros(1, np.float32)),
    ],
)
def test_numbers_that_do_not_fit_are_refused(fitted: FittedClassic, tmp_path: Path, name: str, array: Any) -> None:
    with pytest.raises(BadInput):
        save_classic(tmp_path / "odd", fitted.card, fitted.weights | {name: array})
    assert not (tmp_path / "odd").exists()


def test_a_pickle_in_the_place_of_the_numbers_is_never_opened(folder: Path, tmp_path: Path) -> None:
    bomb = b"cos\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR."
    with pytest.raises(BadInput, match="not safetensors"):
        load_classifier(_copy(folder, tmp_path, weights=bomb))
    assert not (tmp_path / "ran").exists()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_the_files_is_opened_or_refused_with_a_reason(
    folder: Path, tmp_path: Path, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([FILE, WEIGHTS]))
    content = bytearray((folder / name).read_bytes())
    how = data.draw(st.sampled_from(["cut", "change", "head"]))
    if how == "cut":
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        most = 600 if how == "head" else len(content) - 1  # the header of the numbers stands in front
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(0, min(most, len(content) - 1)))] = data.draw(st.integers(0, 255))
    changed = _copy(folder, tmp_path, **{"card" if name == FILE else "weights": bytes(content)})
    try:
        said = load_classifier(changed).sort(UNSEEN)
    except BadInput as error:
        assert error.message
    else:
        assert len(said) == len(UNSEEN) and {each.label for each in said} <= set(read_card(changed).labels)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["version", "form", "labels", "words", "pieces", "max_tokens"]), inner)
        ),
        max_leaves=12,
    )
)
def test_any_json_is_a_card_or_refused(tmp_path: Path, told: Any) -> None:
    (tmp_path / FILE).write_text(json.dumps(told))
    try:
        assert read_card(tmp_path).version == 1
    except BadInput as error:
        assert error.message.startswith("is not a classifier")


def _copy(folder: Path, tmp_path: Path, *, card: bytes | None = None, weights: bytes | None = None) -> Path:
    made = tmp_path / "changed"
    made.mkdir(exist_ok=True)
    (made / FILE).write_bytes(card if card is not None else (folder / FILE).read_bytes())
    (made / WEIGHTS).write_bytes(weights if weights is not None else (folder / WEIGHTS).read_bytes())
    return made
