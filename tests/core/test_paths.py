"""A path that a person typed: whatever the system says of it is told in words."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from core.base_models import check_folder, locate
from core.errors import BadInput, BaseModelUnavailable, TuneworthyError
from core.jobspec import read_mapping, read_spec
from core.paths import resolved, typed_path

TOO_LONG = "/" + "a" * 300
NOBODY = "~nobody-of-this-name/rows"


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that may not be entered, for the superuser as well."""
    folder = tmp_path / "closed"
    folder.mkdir()
    stat = os.stat

    def refused(path: Any, **words: Any) -> os.stat_result:
        if isinstance(path, str | os.PathLike) and Path(path).parent == folder:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return stat(path, **words)

    monkeypatch.setattr(os, "stat", refused)
    return folder


@pytest.mark.parametrize("text", [TOO_LONG, NOBODY])
def test_a_base_model_that_cannot_be_looked_at_is_said(text: str) -> None:
    with pytest.raises(BadInput, match="cannot be used"):
        locate(text)


def test_a_folder_that_may_not_be_entered_is_said(closed: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot be used \(permission denied\)"):
        locate(str(closed / "model"))
    with pytest.raises(BadInput, match="permission denied"):
        read_mapping(closed / "spec.yaml")


def test_a_config_that_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (tmp_path / name).write_text("{}")

    def refused(_path: Path) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(BaseModelUnavailable, match=r"cannot be read \(Permission denied\)"):
        check_folder(tmp_path)


def test_a_spec_with_odd_paths_is_read_or_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    file = tmp_path / "spec.yaml"
    for line in (f"base_model: {'b' * 300}", "dataset: circle"):
        file.write_text(f"{line}\n")
        with pytest.raises(TuneworthyError, match="cannot be used"):
            read_spec(file)


def test_links_in_a_circle_and_homes_of_nobody_are_said(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(BadInput, match="circle"):
        resolved(tmp_path / "circle")
    with pytest.raises(BadInput, match="nobody-of-this-name"):
        typed_path(NOBODY)
    assert typed_path("~") == Path.home()
