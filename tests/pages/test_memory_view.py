"""The bar of memory: all of it, in order, small parts as the rest, and the same in words."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from app_pages import memory_view
from core.jobspec import JobSpec, MethodSpec
from core.machine import Machine
from cost_models.run_estimate import estimate_run
from cost_models.shapes import shape_of

HERE = Machine(cores=2, memory_gib=16, cpu_flags=["amx_bf16"])
TIGHT = estimate_run(
    shape_of("meta-llama/Llama-3.1-8B-Instruct"),
    JobSpec(gpu="RTX 4090", max_tokens=2048, method=MethodSpec(bits="4")),
    token_counts=[2048] * 50,
    device="cuda",
    here=HERE,
)


def test_the_bar_adds_up_and_draws_where_the_device_ends() -> None:
    found = memory_view.parts(TIGHT)
    assert sum(found.values()) == pytest.approx(TIGHT.memory_gib.likely, rel=0.01)
    assert list(found)[:2] == ["Base weights", "Embeddings and head"] and list(found)[-1] == "Rest"
    chart = memory_view.figure(TIGHT)
    assert [bar.name for bar in chart.data] == list(found)
    assert chart.layout.barmode == "stack"
    assert chart.layout.shapes[0].x0 == 24.0 and "24" in chart.layout.annotations[0].text
    words = memory_view.in_words(TIGHT)
    assert "activations" in words and "The device has 24.0 GiB" in words


def test_a_device_that_is_not_known_has_no_line() -> None:
    unknown = TIGHT.model_copy(update={"plan": {}})
    assert not memory_view.figure(unknown).layout.shapes
    assert "device" not in memory_view.in_words(unknown)


def test_the_page_shows_the_bar_with_the_sentences_of_the_plan() -> None:
    def script() -> None:
        from app_pages import memory_view
        from tests.pages.test_memory_view import TIGHT

        memory_view.show(TIGHT)
        memory_view.show(TIGHT.model_copy(update={"breakdown": {}}), key="empty")

    app = AppTest.from_function(script).run(timeout=30)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    assert "of up to 2,048 tokens a step" in app.caption[0].value
