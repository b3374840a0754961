"""The Jobs page: empty, queued, running, failed, cancelled, done; and nothing heavy is imported for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app_pages.figures import ago, compared, duration, plain, roughly, size, usd
from app_pages.job_charts import MOST_POINTS, loss_chart, loss_in_words, series
from app_pages.steps import named
from backends.launch import launch, state_of
from core.estimate import Estimate
from core.job import EngineRef, Event, Measured, Outcome, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import JobRecord, open_store

ROOT = Path(__file__).parents[2]
Made = Callable[..., JobRecord]


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    app.switch_page("app_pages/jobs.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def text(app: AppTest) -> str:
    parts = [*app.title, *app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.code]
    return "\n".join(str(part.value) for part in parts)


@pytest.fixture
def local_job() -> Made:
    """A job of the local engine, made by hand as its worker would leave it."""

    def make(outcome: Outcome | None, steps: int = 4, name: str = "Tickets") -> JobRecord:
        store = open_store()
        spec = JobSpec(name=name)
        record = store.add_job(spec, plan_id=None)
        folder = RunFolder.create(record.id, spec)
        folder.announce(1)
        for step in range(1, steps + 1):
            folder.emit("step", step=step, total_steps=10, values={"loss": 3.0 / step, "tokens_per_second": 110.0})
        folder.emit("validation", step=steps, total_steps=10, values={"validation_loss": 1.1})
        folder.log_file.write_text("reading the rows\nstep 4 of 10\n", encoding="utf-8")
        if outcome is not None:
            folder.finish(outcome)
        store.set_ref(record.id, EngineRef(engine="local", ref=record.id))
        return store.job(record.id)

    return make


def confirm(app: AppTest, button: str) -> None:
    """Press the button inside the dialog that `button` opens; a whole run of the script needs both presses."""
    app.button(key=button).click()
    app.button(key=f"{button}.sure").click()
    app.run()


def fake(**scenario: float | str) -> JobRecord:
    return launch(open_store(), JobSpec(engine="fake", name="A fake run", fake=dict(scenario)))


def set_back(record: JobRecord, seconds: float) -> None:
    marks = RunFolder.of(record.id).path / "fake.json"
    value = json.loads(marks.read_text(encoding="utf-8"))
    value["started"] = (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()
    marks.write_text(json.dumps(value), encoding="utf-8")


def test_without_jobs_the_page_says_what_to_do_next() -> None:
    app = opened()
    assert not app.exception
    assert "launch panel" in app.info[0].value


def test_a_running_job_shows_its_step_and_can_be_cancelled_after_a_question() -> None:
    record = fake(seconds=1000.0)
    set_back(record, 500)
    app = opened(job=record.id)
    assert not app.exception
    assert "Running" in text(app)
    assert "jobs.cancel" in [button.key for button in app.button]
    assert "jobs.delete" not in [button.key for button in app.button]
    app.button(key="jobs.cancel").click().run()
    assert state_of(record).state == "running", "cancelled before the question was answered"
    confirm(app, "jobs.cancel")
    assert state_of(record).state == "cancelled"


def test_a_failed_job_shows_reason_and_remedy_and_can_be_resumed() -> None:
    record = fake(seconds=1000.0, outcome="failed")
    set_back(record, 900)
    app = opened(job=record.id)
    assert "Resume it" in app.error[0].value
    app.button(key="jobs.resume").click().run()
    assert not app.exception
    assert state_of(record).state == "running"


def test_a_failed_local_job_opens_its_log(local_job: Made) -> None:
    reason = Outcome(
        state="failed", reason="Out of memory at step 4.", hint="Use a smaller batch.", at=datetime.now(UTC)
    )
    app = opened(job=local_job(reason).id)
    assert app.error[0].value == "Out of memory at step 4. Use a smaller batch."
    assert "reading the rows" in text(app)


def test_a_done_job_shows_what_it_took_and_its_notes(local_job: Made) -> None:
    result = Result(measured=Measured(seconds=61, memory_gib=1.5), notes=["2 rows were cut."])
    app = opened(job=local_job(Outcome(state="succeeded", result=result, at=datetime.now(UTC))).id)
    assert not app.exception
    assert "2 rows were cut." in text(app)
    assert "1 min 1 s" in app.table[0].value["Measured"].to_list()


def test_a_done_job_does_not_poll(local_job: Made) -> None:
    app = opened(job=local_job(Outcome(state="succeeded", at=datetime.now(UTC))).id)
    assert not app.exception
    assert "jobs.cancel" not in [button.key for button in app.button]


def test_a_cancelled_job_says_so(local_job: Made) -> None:
    app = opened(job=local_job(Outcome(state="cancelled", reason="Stopped at step 4.", at=datetime.now(UTC))).id)
    assert "Stopped at step 4." in app.warning[0].value


def test_an_unknown_job_is_a_message_and_no_traceback() -> None:
    app = opened(job="job-20990101-00000000")
    assert not app.exception
    assert "job-20990101-00000000" in app.error[0].value


def test_the_list_shows_a_chain_as_its_steps_in_order() -> None:
    store = open_store()
    first = launch(store, JobSpec(engine="fake", name="Tickets", group="one", fake={"seconds": 1000.0}))
    spec = JobSpec(engine="fake", kind="evaluate", name="Tickets: judge", group="one", after=[first.id])
    launch(store, spec.model_copy(update={"fake": {"seconds": 1000.0, "queued_seconds": 500.0}}))
    app = opened()
    assert not app.exception
    shown = text(app)
    assert shown.count("**Tickets**") == 1
    assert shown.index("Running") < shown.index("Queued")


def test_a_rename_is_kept_and_an_archived_job_leaves_the_list() -> None:
    record = fake(seconds=0.001)
    set_back(record, 60)
    app = opened(job=record.id)
    app.text_input(key=f"jobs.name.{record.id}").set_value("A better name").run()
    assert open_store().job(record.id).name == "A better name"
    app.button(key="jobs.archive").click().run()
    assert [job.id for job in open_store().jobs(archived=True)] == [record.id]


def test_deleting_says_first_what_goes() -> None:
    record = fake(seconds=0.001)
    set_back(record, 60)
    app = opened(job=record.id)
    app.button(key="jobs.delete").click().run()
    assert f"the train job `{record.name}`" in text(app)
    assert open_store().jobs(), "deleted before the question was answered"
    confirm(app, "jobs.delete")
    assert not open_store().jobs()
    assert not app.exception


def test_a_name_is_shown_as_it_is_and_not_as_markdown() -> None:
    assert plain("**a** :red[b] $x$") == "\\*\\*a\\*\\* \\:red\\[b\\] \\$x\\$"


def test_a_long_loss_curve_is_thinned_and_keeps_its_last_point() -> None:
    at = datetime.now(UTC)
    events = [
        Event(seq=i, at=at, kind="step", step=i, total_steps=9000, values={"loss": 1 / i}) for i in range(1, 9001)
    ]
    steps, values = series(events, "loss")
    assert len(steps) <= MOST_POINTS
    assert steps[-1] == 9000
    assert values[-1] == pytest.approx(1 / 9000)


def test_no_loss_means_no_chart() -> None:
    assert loss_chart([]) is None
    assert loss_in_words([]) == ""


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, "unknown"), (0.4, "0.4 s"), (45, "45 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_a_duration_is_said_as_people_say_it(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_figures_are_said_as_people_say_them() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert roughly(3) == "a few seconds"
    assert roughly(260) == "about 4 min"
    assert usd(None) == "unknown"
    assert usd(1250) == "\\$1,250"
    assert size(3 * 2**20) == "3.0 MiB"
    assert ago(now - timedelta(minutes=5), now) == "5 min ago"
    assert compared(Estimate(low=1, likely=2, high=3, unit="s"), 4) == ", more than predicted"
    assert compared(Estimate(low=1, likely=2, high=3, unit="s"), 2) == ", as predicted"
    assert compared(Estimate(unit="s"), 2) == ""


def test_no_page_imports_torch_transformers_or_openai() -> None:
    modules = sorted(f"app_pages.{path.stem}" for path in (ROOT / "app_pages").glob("*.py"))
    code = (
        "import sys, importlib, logging; logging.disable(logging.CRITICAL)\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "heavy = sorted({'torch', 'transformers', 'openai', 'peft', 'trl'} & set(sys.modules))\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_step_waits_for_another_by_its_name() -> None:
    train = launch(open_store(), JobSpec(engine="fake", name="A tune"))
    assert named(f"Waits for {train.id}", [train]) == "Waits for the step Train"
    assert named("Waits for job-20261125-00000000", [train]) == "Waits for job-20261125-00000000"
