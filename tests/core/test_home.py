"""Where things live: the same place from every working directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import StoreError
from core.home import cache_dir, home, run_dir


def test_a_home_named_from_here_is_the_same_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEWORTHY_HOME", "mine")
    monkeypatch.setenv("TUNEWORTHY_CACHE", "kept")
    monkeypatch.chdir(tmp_path)
    assert (home(), cache_dir()) == (tmp_path / "mine", tmp_path / "kept")
    assert run_dir("job-20261123-1a2b3c4d").is_absolute()


@pytest.mark.parametrize("name", ["HOME", "CACHE"])
def test_a_folder_of_nobody_is_said_with_its_setting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"TUNEWORTHY_{name}", "~nobody-of-this-name/tuneworthy")
    with pytest.raises(StoreError, match=f"Set TUNEWORTHY_{name}"):
        {"HOME": home, "CACHE": cache_dir}[name]()
