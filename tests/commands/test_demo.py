"""The whole way without a page, on the true model. Minutes: not in the quick tests."""

from __future__ import annotations

import os

import pytest

from core.base_models import locate
from core.jobspec import DEFAULT_BASE_MODEL

from .conftest import Tune


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not os.environ.get("TUNEWORTHY_TEST_DEMO"), reason="minutes: set TUNEWORTHY_TEST_DEMO to run it")
def test_the_tune_of_the_demo_is_clearly_better_than_the_best_prompt(tune: Tune) -> None:
    if not locate(DEFAULT_BASE_MODEL).ready and not os.environ.get("TUNEWORTHY_TEST_CACHE"):
        pytest.skip("TUNEWORTHY_TEST_CACHE names no cache with the prepared model")
    found = tune("demo", "--json")
    assert found.code == 0
    tuned, prompt = (found.json["models"][name]["task"] for name in ("tuned", "best_prompt"))
    assert tuned["low"] > prompt["high"] and found.json["verdict"] == "ship"
