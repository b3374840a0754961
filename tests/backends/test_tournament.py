"""A tournament on this machine and of a hosted model: checked, estimated, run by a real worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from backends.estimates import estimate_local
from backends.local import LocalEngine, scrubbed_environment
from core.home import new_id
from core.job import JobState
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from evaluation.tournament_report import FILE, read_tournament
from tests.evaluation.chat_host import ChatHost

from .conftest import wait_until

KEY = "planted-key-of-the-test"
PRICED = "https://api.openai.com/v1?key=CHAT_TEST_KEY#openai/gpt-4.1-mini"


@pytest.fixture
def spec(training: JobSpec) -> JobSpec:
    return training.model_copy(update={"kind": "tournament", "test": training.dataset, "n": 10, "max_new_tokens": 8})


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatHost]:
    monkeypatch.setenv("CHAT_TEST_KEY", KEY)
    found = ChatHost(lambda body: "blue")
    yield found
    found.close()


@pytest.fixture
def done() -> Callable[[JobSpec], tuple[JobState, RunFolder]]:
    def run(spec: JobSpec) -> tuple[JobState, RunFolder]:
        engine = LocalEngine()
        assert engine.check(spec) == []
        ref = engine.submit(spec, new_id("job"))
        return wait_until(engine, ref, lambda state: state.done), RunFolder.of(ref.ref)

    return run


def problems(spec: JobSpec) -> dict[str, str]:
    return {problem.where: str(problem) for problem in LocalEngine().check(spec)}


def test_what_would_stop_it_is_said_before(spec: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems(spec) == {}
    assert problems(spec.model_copy(update={"test": None})).keys() == {"test"}
    hosted = spec.model_copy(update={"base_model": PRICED, "allow_network": True})
    assert "CHAT_TEST_KEY holds no key" in problems(hosted)["base_model"]
    monkeypatch.setenv("CHAT_TEST_KEY", KEY)
    assert problems(hosted) == {}
    assert "may not use the network" in problems(hosted.model_copy(update={"allow_network": False}))["base_model"]
    wrong = problems(hosted.model_copy(update={"base_model": "https://api.openai.com/v1?key=sk-1234#m"}))
    assert "name of a variable" in wrong["base_model"] and "1234" not in wrong["base_model"]
    assert "base_model" in problems(hosted.model_copy(update={"kind": "train"})), "a hosted model cannot be trained"


def test_a_worker_is_given_the_one_key_that_its_spec_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_TEST_KEY", KEY)
    monkeypatch.setenv("OTHER_API_KEY", "another")
    assert "CHAT_TEST_KEY" not in scrubbed_environment()
    found = scrubbed_environment(("CHAT_TEST_KEY",))
    assert found["CHAT_TEST_KEY"] == KEY and "OTHER_API_KEY" not in found


def test_a_priced_model_is_estimated_in_dollars_and_more_rows_cost_more(spec: JobSpec) -> None:
    few, many = (estimate_local(spec.model_copy(update={"base_model": PRICED, "n": n})).usd for n in (10, 40))
    assert few.likely and many.likely and 0 < few.likely < many.likely < 1
    unknown = estimate_local(spec.model_copy(update={"base_model": "https://api.example.com/v1#house"}))
    assert unknown.usd.likely is None and "no row for house" in unknown.usd.because[0]
    local = estimate_local(spec)
    assert local.usd.likely == 0 and local.seconds.likely and local.memory_gib.likely


def test_a_worker_asks_a_hosted_model_and_keeps_no_key(
    spec: JobSpec, host: ChatHost, done: Callable[[JobSpec], tuple[JobState, RunFolder]]
) -> None:
    address = f"{host.url}?key=CHAT_TEST_KEY#house"
    fields = {"base_model": address, "dataset": None, "allow_network": False}
    state, folder = done(spec.model_copy(update=fields))
    assert state.state == "succeeded", folder.log_tail()
    report = read_tournament(folder.path / FILE)
    assert [rung.name for rung in report.rungs] == ["zero_shot"] and report.rungs[0].score.n == 10
    assert set(host.keys) == {f"Bearer {KEY}"}
    kept = [path.read_bytes() for path in folder.path.rglob("*") if path.is_file()]
    assert kept and not any(KEY.encode() in content for content in kept)


def test_a_worker_asks_the_base_of_this_machine(
    spec: JobSpec, done: Callable[[JobSpec], tuple[JobState, RunFolder]]
) -> None:
    state, folder = done(spec.model_copy(update={"dataset": None}))
    assert state.state == "succeeded", folder.log_tail()
    report = read_tournament(folder.path / FILE)
    assert report.device == "cpu" and report.question_tokens and report.left_out.keys() >= {"few_shot", "constrained"}
