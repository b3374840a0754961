from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import BadInput
from dataset.collector_pause import paused_collector
from dataset.read import read


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.enable()
    yield
    (gc.enable if was_on else gc.disable)()


def test_the_collector_runs_again_after_a_file_was_read_or_refused(write: Callable[[str, str | bytes], Path]) -> None:
    read(write("a.csv", "text,label\na,b\n"))
    assert gc.isenabled()
    with pytest.raises(BadInput):
        read(write("b.csv", ""))
    assert gc.isenabled()


def test_who_had_it_off_finds_it_off() -> None:
    gc.disable()
    with paused_collector():
        assert not gc.isenabled()
    assert not gc.isenabled()


def test_of_two_that_overlap_it_comes_back_with_the_first() -> None:
    first, second = paused_collector(), paused_collector()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert gc.isenabled()
