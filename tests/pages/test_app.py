"""The frame around the pages: navigation, news of jobs, what is imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.config import get_option, set_option
from streamlit.testing.v1 import AppTest

from app_pages import state
from backends.launch import launch
from core.errors import BadInput, Problem, ProblemsFound
from core.job import EngineRef, JobState
from core.jobspec import JobSpec
from core.store import JobRecord, open_store

ROOT = Path(__file__).parents[2]
APP = str(ROOT / "app.py")
HEAVY = ["torch", "transformers", "openai", "peft", "trl"]
EVERY_PAGE = """
import json, sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(sys.argv[1], default_timeout=60).run()
faults = [element.value for element in app.exception]
for page in sys.argv[2].split(","):
    app.switch_page(f"app_pages/{page}.py").run()
    faults += [f"{page}: {element.value}" for element in app.exception]
print(json.dumps({"faults": faults, "loaded": [name for name in sys.argv[3].split(",") if name in sys.modules]}))
"""


def app() -> AppTest:
    return AppTest.from_file(APP, default_timeout=30).run()


def pages() -> list[str]:
    return [
        name
        for name in ("advise", "data", "jobs", "judge", "shelf", "chat", "plans", "prices", "settings")
        if (ROOT / state.page_file(name)).is_file()
    ]


def fake_job(seconds: float, outcome: str = "succeeded", name: str = "A tune") -> JobRecord:
    spec = JobSpec(engine="fake", name=name, fake={"seconds": seconds, "outcome": outcome})
    return launch(open_store(), spec)


def test_every_page_runs_and_none_loads_a_model_library(home: Path) -> None:
    # In a process of its own: another test may have loaded torch into this one.
    run = subprocess.run(
        [sys.executable, "-c", EVERY_PAGE, APP, ",".join(pages()), ",".join(HEAVY)],
        cwd=ROOT, env=os.environ | {"TUNEWORTHY_HOME": str(home)}, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    assert json.loads(run.stdout.splitlines()[-1]) == {"faults": [], "loaded": []}


def test_there_are_nine_pages() -> None:
    assert len(pages()) == 9


def test_no_page_injects_html_or_css() -> None:
    for path in [ROOT / "app.py", *(ROOT / "app_pages").glob("*.py")]:
        text = path.read_text(encoding="utf-8")
        assert "unsafe_allow_html" not in text and "st.html" not in text, path.name


def test_a_job_that_ends_is_announced_once_on_any_page() -> None:
    fake_job(0.01, name="Tickets")
    page = app()
    assert [toast.value for toast in page.toast] == ["**Tickets** has finished."]
    page.switch_page("app_pages/prices.py").run()
    assert not page.toast


def test_a_failed_job_is_announced_with_its_reason() -> None:
    fake_job(0.01, outcome="failed")
    (toast,) = app().toast
    assert "has failed" in toast.value and "half-way" in toast.value


def test_several_ended_jobs_are_announced_together() -> None:
    fake_job(0.01)
    fake_job(0.01, outcome="failed")
    assert [toast.value for toast in app().toast] == ["**2 jobs** have ended, 1 of them failed."]


def test_a_job_that_ended_long_ago_is_no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_job(0.01)
    old = JobState(state="succeeded", ended_at=datetime.now(UTC) - timedelta(hours=3))
    monkeypatch.setattr(state, "state_of", lambda record: old)
    assert not app().toast


def test_a_running_job_is_no_news_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    job = fake_job(600)
    page = app()
    assert not page.toast
    monkeypatch.setattr(state, "state_of", lambda record: JobState(state="cancelled"))
    assert [toast.value for toast in page.run().toast] == [f"**{job.name}** was cancelled."]


def test_a_job_whose_engine_is_gone_does_not_break_the_page() -> None:
    spec = JobSpec(engine="fake", name="lost")
    record = open_store().add_job(spec.model_copy(update={"engine": "no_such_host"}), plan_id=None)
    open_store().set_ref(record.id, EngineRef(engine="x", ref="y"))
    assert not app().exception


def test_a_problem_is_one_sentence_with_its_remedy() -> None:
    assert state.sentence(Problem(what="no rows.", hint="Add some.")) == "No rows. Add some."
    assert (
        state.sentence(Problem(what="no rows.", where="a.csv:3", hint="Add some.")) == "**a.csv:3**: no rows. Add some."
    )
    assert (
        state.error_text(BadInput("is empty.", "Give rows.", file="a.csv", line=2)) == "a.csv:2: is empty. Give rows."
    )


def test_all_problems_are_shown_at_once() -> None:
    def script() -> None:
        from app_pages import state
        from core.errors import Problem, ProblemsFound

        with state.shown_errors("Stopped:"):
            raise ProblemsFound([Problem(what="one."), Problem(what="two."), Problem(what="mind.", severity="warning")])

    page = AppTest.from_function(script).run()
    assert page.error[0].value == "Stopped:\n\n- One.\n- Two."
    assert page.warning[0].value.endswith("Mind.")
    assert issubclass(ProblemsFound, BadInput)


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.7", "::1", ""])
def test_an_app_that_others_could_reach_shows_nothing(address: str) -> None:
    fake_job(0.01, name="Secret name")
    before = get_option("server.address")
    set_option("server.address", address)
    try:
        page = app()
        assert not page.exception and not page.toast and not page.title and not page.button
        assert "no login" in page.error[0].value and "ssh -L" in page.error[0].value
        assert open_store().plans() == []
    finally:
        set_option("server.address", before)
    assert not app().error
