from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput, Refused
from evaluation.embedding import PACKAGE, has_encoder_library, similarity

AXES = ["bill", "room", "exam"]


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A library of the right name on the path of Python whose encoder counts three words."""
    folder = tmp_path / PACKAGE
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "class SentenceTransformer:\n"
        "    def __init__(self, name, *, local_files_only, trust_remote_code):\n"
        "        assert local_files_only and not trust_remote_code\n"
        "        if name == 'gone':\n"
        "            raise OSError('no such model')\n"
        "    def encode(self, texts):\n"
        f"        return [[text.count(word) for word in {AXES}] for text in texts]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, PACKAGE, raising=False)
    yield "three-words"
    sys.modules.pop(PACKAGE, None)


def test_answers_are_as_near_as_their_vectors(encoder: str) -> None:
    expected = ["the bill", "the room", "the exam"]
    said = {"tuned": ["a bill, a bill", "a room", "an exam"], "base": ["bill or room?", "bill", ""]}
    found = similarity(encoder, expected, said, seed=1)
    assert found.models["tuned"].score == pytest.approx(1)
    assert found.models["base"].score == pytest.approx(2**-0.5 / 3)
    assert found.models["base"].low < found.models["base"].score < found.models["base"].high
    assert (found.encoder, found.unrelated) == (encoder, 0)


def test_what_cannot_be_compared_is_said(encoder: str) -> None:
    with pytest.raises(BadInput):
        similarity(encoder, ["one"], {"tuned": ["one"]}, seed=1)
    with pytest.raises(BadInput):
        similarity("gone", ["one", "two"], {"tuned": ["one", "two"]}, seed=1)


def test_without_the_library_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    missing: dict[str, Any] = {"find_spec": lambda name: None}
    monkeypatch.setattr("evaluation.embedding.importlib.util", types.SimpleNamespace(**missing))
    assert not has_encoder_library()
    with pytest.raises(Refused):
        similarity("any", ["one", "two"], {"tuned": ["one", "two"]}, seed=1)
