"""Spec files: relative paths, all problems at once, and no file that ends in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput, NotFound, ProblemsFound, TuneworthyError
from core.jobspec import JobSpec, read_spec


def test_paths_in_a_spec_are_taken_from_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("kind: train\ndataset: rows/train.jsonl\nmethod: {rank: 4}\n")
    spec = read_spec(tmp_path / "spec.yaml")
    assert spec.dataset == str(tmp_path / "rows" / "train.jsonl")
    assert spec.method.rank == 4


def test_all_problems_of_a_spec_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text('{"epochs": -1, "learning_rte": 1, "method": {"rank": "x"}}')
    with pytest.raises(ProblemsFound) as caught:
        read_spec(tmp_path / "spec.json")
    said = str(caught.value)
    assert all(word in said for word in ("epochs", "learning_rte", "method.rank", "-1"))
    assert len(caught.value.problems()) == 3


def test_the_line_of_a_broken_spec_is_named(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text('{\n"kind": "train",\n oops\n}')
    with pytest.raises(BadInput, match=r"spec.json:3"):
        read_spec(tmp_path / "spec.json")
    (tmp_path / "spec.yaml").write_text("kind: train\nepochs: [1\n")
    with pytest.raises(BadInput, match=r"spec.yaml:3"):
        read_spec(tmp_path / "spec.yaml")


def test_a_spec_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no file"):
        read_spec(tmp_path / "none.yaml")


@settings(max_examples=150, deadline=None)
@given(
    content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)),
    suffix=st.sampled_from(["yaml", "json"]),
)
def test_any_bytes_give_a_spec_or_one_clear_error(
    content: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("spec") / f"spec.{suffix}"
    path.write_bytes(content)
    try:
        assert isinstance(read_spec(path), JobSpec)
    except TuneworthyError as error:
        assert str(error)


@pytest.mark.parametrize("content", ["[" * 5000, "{a: " * 3000, "&a [*a, *a]", "a: !!python/object:os.system x"])
def test_bombs_and_tags_are_refused(content: str, tmp_path: Path) -> None:
    for suffix in ("yaml", "json"):
        path = tmp_path / f"spec.{suffix}"
        path.write_text(content)
        with pytest.raises(TuneworthyError):
            read_spec(path)


@pytest.mark.parametrize("rows", [0, -3, 5000, "many"])
def test_a_micro_batch_has_a_row_or_more(tmp_path: Path, rows: object) -> None:
    (tmp_path / "spec.yaml").write_text(f"micro_batch: {rows}\n")
    with pytest.raises(ProblemsFound, match="micro_batch"):
        read_spec(tmp_path / "spec.yaml")
    assert JobSpec(micro_batch=1).micro_batch == 1 and JobSpec().micro_batch == "auto"
