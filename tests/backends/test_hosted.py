"""Trainings at a managed host: what is asked, what is kept, and what goes wrong on the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backends.hosts.client import client_of
from backends.hosts.launching import Launching
from backends.hosts.ledger import new_ledger, read_ledger
from backends.hosts.poller import Poller
from backends.hosts.profile import profile
from backends.openai_managed import OpenAIManagedEngine
from core.home import new_id
from core.job import JobState
from core.jobspec import HostSettings, JobSpec
from core.run_folder import RunFolder

from .fake_host import STEPS, FakeHost, Fault
from .hosted import ADDRESS, KEY, KEY_VARIABLE, hosted_spec, poller_of, quiet


class Clock:
    """The host's time, which the test moves."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def host(clock: Clock) -> FakeHost:
    return FakeHost(clock, seconds=100.0, key=KEY)


@pytest.fixture
def engine() -> OpenAIManagedEngine:
    return OpenAIManagedEngine(wake=quiet)


def ask(poller: Poller, times: int = 1) -> None:
    """Rounds in which every job has its turn."""
    for _ in range(times):
        poller._next.clear()
        poller.round()


def state_after(engine: OpenAIManagedEngine, spec: JobSpec, poller: Poller, times: int = 1) -> tuple[str, JobState]:
    job_id = new_id("job")
    ref = engine.submit(spec, job_id)
    ask(poller, times)
    return job_id, engine.poll(ref)


def test_a_job_goes_its_whole_way(tmp_path: Path, host: FakeHost, clock: Clock, engine: OpenAIManagedEngine) -> None:
    spec, poller = hosted_spec(tmp_path), poller_of(host)
    ref = engine.submit(spec, new_id("job"))
    assert engine.poll(ref).state == "queued" and not host.requests, "the page itself asks nobody"
    ask(poller)
    assert engine.poll(ref).note == "the host checks the rows"
    (sent,) = [json.loads(each.content) for each in host.requests if each.method == "POST" and "jobs" in each.url.path]
    assert sent["metadata"] == {"tuneworthy_job": ref.ref} and sent["suffix"] == f"tw-{ref.ref[-8:]}"
    assert sent["method"] == {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}}
    clock.now += 50
    ask(poller)
    state = engine.poll(ref)
    assert (state.state, state.step, state.total_steps) == ("running", STEPS // 2, STEPS)
    clock.now += 60
    ask(poller)
    assert engine.poll(ref).state == "succeeded"
    result = engine.result(ref)
    assert result.adapter == f"ft:tiny-chat:acme:tw-{ref.ref[-8:]}:ob-1"
    assert result.metrics == {"loss": 0.4, "accuracy": 0.9}
    assert result.measured.usd is None, "no price is known of this host"
    assert f"{ADDRESS}?key={KEY_VARIABLE}#{result.adapter}" in result.notes[0]
    assert sum(note.startswith("Checkpoint at step") for note in result.notes) == 2
    events = engine.events(ref)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.step for event in events if event.kind == "step"] == list(range(1, STEPS + 1))
    assert [event.step for event in events if event.kind == "validation"] == [4, 8, 12]


def test_events_that_come_twice_are_kept_once(
    tmp_path: Path, host: FakeHost, clock: Clock, engine: OpenAIManagedEngine
) -> None:
    host.double_events = True
    poller = poller_of(host)
    ref = engine.submit(hosted_spec(tmp_path), new_id("job"))
    for _ in range(12):
        ask(poller)
        clock.now += 10
    steps = [event.step for event in engine.events(ref) if event.kind == "step"]
    assert steps == list(range(1, STEPS + 1))


@pytest.mark.parametrize("state", ["paused", "pausing", "resting_for_a_while"])
def test_a_state_that_is_not_an_end_goes_on(
    state: str, tmp_path: Path, host: FakeHost, engine: OpenAIManagedEngine
) -> None:
    poller = poller_of(host)
    ref = engine.submit(hosted_spec(tmp_path), new_id("job"))
    ask(poller)
    host.states["ftjob-1"] = state
    ask(poller)
    found = engine.poll(ref)
    assert not found.done and state in found.note
    del host.states["ftjob-1"]
    ask(poller)
    assert state not in engine.poll(ref).note


REFUSALS = [
    (401, {"code": "invalid_api_key", "message": f"Incorrect key {KEY}"}, "does not know the key", "TUNING_API_KEY"),
    (403, {"code": "training_not_available", "message": "winding down"}, "starts no more tuning jobs", "engine: local"),
    (403, {"code": "forbidden", "message": "not you"}, "does not allow this", "another project"),
    (404, {"code": "model_not_found", "message": "no tiny-chat"}, "no such model", "base_model"),
    (400, {"code": "bad", "message": "suffix is odd"}, "suffix is odd", "Mend"),
    (429, {"code": "insufficient_quota", "message": "quota"}, "no credit left", "Add credit"),
]


@pytest.mark.parametrize(("status", "body", "reason", "hint"), REFUSALS)
def test_a_refused_job_says_why_and_leaves_nothing_at_the_host(
    status: int,
    body: dict[str, str],
    reason: str,
    hint: str,
    tmp_path: Path,
    host: FakeHost,
    engine: OpenAIManagedEngine,
) -> None:
    host.faults = [Fault("POST /fine_tuning/jobs", status, body)]
    _, state = state_after(engine, hosted_spec(tmp_path), poller_of(host))
    assert state.state == "failed"
    assert reason in state.reason and hint in state.reason and KEY not in state.reason
    assert host.files == {} and host.jobs == {}


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST /fine_tuning/jobs", 500),
        Fault("POST /fine_tuning/jobs", 500, done_first=True),
        Fault("POST /fine_tuning/jobs", 409, done_first=True),
        Fault("POST /fine_tuning/jobs", drop=True),
        Fault("POST /fine_tuning/jobs", drop=True, done_first=True),
        Fault("POST /fine_tuning/jobs", slow=True, done_first=True),
        Fault("POST /fine_tuning/jobs", 429, {"code": "rate_limit_exceeded"}, {"retry-after": "0"}),
        Fault("POST /files", 503, times=2),
        Fault("GET /files", drop=True, times=3),
        Fault("GET /fine_tuning/jobs.*", 502, times=4),
    ],
)
def test_whatever_becomes_of_an_answer_one_job_exists(
    fault: Fault, tmp_path: Path, host: FakeHost, engine: OpenAIManagedEngine
) -> None:
    host.faults = [fault]
    _, state = state_after(engine, hosted_spec(tmp_path), poller_of(host), times=8)
    assert len(host.jobs) == len(host.files) == 1
    assert not state.done and state.note == "the host checks the rows"


def test_a_job_is_found_again_where_the_host_keeps_no_metadata(
    tmp_path: Path, host: FakeHost, engine: OpenAIManagedEngine
) -> None:
    host.metadata_kept = False
    host.faults = [Fault("POST /fine_tuning/jobs", drop=True, done_first=True)]
    state_after(engine, hosted_spec(tmp_path), poller_of(host), times=4)
    assert len(host.jobs) == 1


def test_a_second_try_waits_until_the_first_can_no_longer_come_true(
    tmp_path: Path, host: FakeHost, engine: OpenAIManagedEngine
) -> None:
    host.faults = [Fault("POST /fine_tuning/jobs", slow=True)]
    _, state = state_after(engine, hosted_spec(tmp_path), poller_of(host, settles_after_seconds=60), times=5)
    assert host.jobs == {} and state.note.startswith("asking the host whether it has the job")


def test_the_same_rows_are_sent_once(tmp_path: Path, host: FakeHost, engine: OpenAIManagedEngine) -> None:
    poller = poller_of(host)
    engine.submit(hosted_spec(tmp_path), new_id("job"))
    ask(poller)
    host.faults = [Fault("POST /fine_tuning/jobs", 403, {"code": "training_not_available"})]
    _, state = state_after(engine, hosted_spec(tmp_path), poller)
    assert state.state == "failed" and len(host.files) == 1, "the other job still needs the file"


def test_an_outage_of_hours_loses_nothing(
    tmp_path: Path, host: FakeHost, clock: Clock, engine: OpenAIManagedEngine
) -> None:
    poller = poller_of(host)
    ref = engine.submit(hosted_spec(tmp_path), new_id("job"))
    ask(poller)
    host.faults = [Fault(".*", drop=True, times=50)]
    ask(poller, 20)
    state = engine.poll(ref)
    assert not state.done and "cannot be reached" in state.note
    folder = RunFolder.of(ref.ref)
    assert poller.attend(folder) > 5, "it is asked less and less often"
    host.faults, clock.now = [], clock.now + 4000
    ask(poller)
    assert engine.poll(ref).state == "succeeded"


def test_a_cancel_is_passed_on_and_safe_twice(
    tmp_path: Path, host: FakeHost, clock: Clock, engine: OpenAIManagedEngine
) -> None:
    poller = poller_of(host)
    ref = engine.submit(hosted_spec(tmp_path), new_id("job"))
    ask(poller)
    clock.now += 50
    engine.cancel(ref)
    engine.cancel(ref)
    assert engine.poll(ref).note == "stopping"
    ask(poller)
    state = engine.poll(ref)
    assert state.state == "cancelled" and "charged" in state.reason
    problem = engine.resume(ref)
    assert problem is not None and "Launch it again" in problem.hint


def test_a_job_that_is_stopped_before_it_is_sent_costs_nothing(
    tmp_path: Path, host: FakeHost, engine: OpenAIManagedEngine
) -> None:
    ref = engine.submit(hosted_spec(tmp_path), new_id("job"))
    engine.cancel(ref)
    ask(poller_of(host))
    assert engine.poll(ref).state == "cancelled" and host.requests == []


def test_a_job_that_was_refused_can_be_sent_again(tmp_path: Path, host: FakeHost, engine: OpenAIManagedEngine) -> None:
    host.faults = [Fault("POST /fine_tuning/jobs", 429, {"code": "insufficient_quota"})]
    poller = poller_of(host)
    job_id, state = state_after(engine, hosted_spec(tmp_path), poller)
    ref = engine.find(job_id)
    assert state.state == "failed" and ref is not None
    assert engine.resume(ref) is None
    ask(poller, 2)
    assert engine.poll(ref).state == "queued" and len(host.jobs) == 1


def test_changed_rows_are_not_sent(tmp_path: Path, host: FakeHost, engine: OpenAIManagedEngine) -> None:
    spec = hosted_spec(tmp_path, dataset_sha256="0" * 64)
    _, state = state_after(engine, spec, poller_of(host))
    assert state.state == "failed" and "rows have changed" in state.reason and host.requests == []


def test_azure_gets_its_kind_of_capacity_and_its_byte_order_mark(
    tmp_path: Path, host: FakeHost, clock: Clock, engine: OpenAIManagedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    settings = HostSettings(profile="azure", base_url=ADDRESS, training_type="developerTier")
    host.azure_results = True
    poller = poller_of(host)
    ref = engine.submit(hosted_spec(tmp_path, base_model="gpt-4.1-mini", host=settings), new_id("job"))
    ask(poller)
    assert host.files["file-1"]["body"].startswith(b"\xef\xbb\xbf")
    asked = host.jobs["ftjob-1"]["asked"]
    assert asked["trainingType"] == "developerTier" and asked["model"] == "gpt-4.1-mini-2025-04-14"
    assert len(asked["suffix"]) <= 18
    clock.now += 200
    ask(poller)
    result = engine.result(ref)
    assert result.metrics == {"loss": 0.25, "accuracy": 0.9, "validation_loss": 0.5}
    assert result.measured.usd == 0.75, "300,000 tokens at the price of preemptible capacity"
    assert any("deployed" in note for note in result.notes)


def test_the_ledger_tells_what_the_host_has(tmp_path: Path, host: FakeHost, engine: OpenAIManagedEngine) -> None:
    job_id, _ = state_after(engine, hosted_spec(tmp_path), poller_of(host))
    ledger = read_ledger(RunFolder.of(job_id))
    assert ledger is not None and (ledger.job, ledger.training_file) == ("ftjob-1", "file-1")
    assert ledger.uploaded == ["file-1"]


def test_a_host_that_does_not_pause_such_a_job_says_so(
    tmp_path: Path, host: FakeHost, engine: OpenAIManagedEngine
) -> None:
    poller = poller_of(host)
    ref = engine.submit(hosted_spec(tmp_path), new_id("job"))
    ask(poller)
    host.faults = [Fault("POST /fine_tuning/jobs/.*/pause", 400, {"code": "not_supported"})]
    assert engine.pause(ref) is None and engine.poll(ref).note == "pausing"
    ask(poller)
    assert engine.poll(ref).note == "the host checks the rows"
    said = [event.message for event in engine.events(ref) if event.kind == "warning"]
    assert said == [f"{profile('compatible', ADDRESS).label} does not pause this job."]


def test_a_job_that_the_host_lost_can_be_given_up(tmp_path: Path, host: FakeHost, engine: OpenAIManagedEngine) -> None:
    poller = poller_of(host)
    ref = engine.submit(hosted_spec(tmp_path), new_id("job"))
    ask(poller)
    host.jobs.clear()
    ask(poller, 2)
    assert not engine.poll(ref).done and "no such model, file or job" in engine.poll(ref).note
    engine.cancel(ref)
    ask(poller)
    state = engine.poll(ref)
    assert state.state == "cancelled" and "no such job any more" in state.reason


def test_a_key_that_is_missing_holds_the_job_until_it_is_there(
    tmp_path: Path, host: FakeHost, engine: OpenAIManagedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    poller = poller_of(host)
    monkeypatch.delenv(KEY_VARIABLE)
    ref = engine.submit(hosted_spec(tmp_path), new_id("job"))
    ask(poller)
    state = engine.poll(ref)
    assert state.state == "queued" and KEY_VARIABLE in state.note and host.requests == []
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    ask(poller)
    assert len(host.jobs) == 1 and KEY_VARIABLE not in engine.poll(ref).note


def test_nebius_gets_its_settings_plain_and_with_lora_among_them(
    tmp_path: Path, host: FakeHost, engine: OpenAIManagedEngine
) -> None:
    nebius = profile("nebius").model_copy(update={"base_url": ADDRESS})
    folder = RunFolder.create(new_id("job"), hosted_spec(tmp_path))
    asked = Launching(folder, folder.spec(), nebius, client_of(profile("compatible", ADDRESS)))._request(
        new_ledger(folder)
    )
    assert "method" not in asked and asked["hyperparameters"] == {"n_epochs": 3}
    assert asked["extra_body"]["hyperparameters"] == {
        "n_epochs": 3, "lora": True, "lora_r": 16, "lora_alpha": 32, "lora_dropout": 0.0,
    }  # fmt: skip
