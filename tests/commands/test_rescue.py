"""`tuneworthy rescue`: list, record, retune, parity, with a host in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai", reason="the extra `managed` is not installed")

from backends.engines import engine
from backends.rescue import host as hosts
from core.run_folder import RunFolder
from core.store import open_store
from tests.backends.conftest import wait_until
from tests.backends.rescue_host import KEY, MINI, OLD, FakeHost
from tests.commands.conftest import Tune
from tests.training.conftest import colour_rows, write_rows


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    made = FakeHost()
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    opened = made.host()
    monkeypatch.setattr(hosts, "open_host", lambda *_: opened)
    return made


def test_the_list_shows_days_left_and_says_where_they_come_from(tune: Tune, fake: FakeHost) -> None:
    said = tune("rescue", "list")
    assert said.code == 0 and MINI in said.out and "2027-01-14" in said.out and "not listed any more" in said.out
    assert "unknown" in said.out and "checked 2026-11-23" in said.out
    told = tune("rescue", "list", "--json").json
    assert told["host"] == "openai" and {"id", "base", "days_left", "life"} <= told["models"][0].keys()
    assert told["models"][0]["id"] == OLD and told["models"][-1]["days_left"] is None


def test_without_a_key_one_line_says_what_to_do(tune: Tune, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    said = tune("rescue", "list")
    assert said.code == 2 and "OPENAI_API_KEY" in said.err and not said.out


def test_a_set_is_recorded_in_parts_and_retuned(tune: Tune, fake: FakeHost, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "colours.jsonl", colour_rows())
    fake.answer_tokens = 1024
    part = tune("rescue", "record", MINI, "--prompts", rows, "--n", 8, "--budget-usd", 0.01)
    assert part.code == 1 and "Stopped before the budget" in part.out and "8 answers of" in part.out
    done = tune("rescue", "record", MINI, "--prompts", rows, "--json")
    told: dict[str, Any] = done.json
    assert done.code == 0 and told["complete"] and not told["over_budget"] and told["usd"] > 0
    assert len(fake.asked) == len(set(fake.asked)) == told["answered"] and KEY not in done.out
    spec = tmp_path / "spec.yaml"
    spec.write_text("engine: fake\nepochs: 1\nfake: {seconds: 0.02}\n", encoding="utf-8")
    launched = tune("rescue", "retune", MINI, "--spec", spec, "--json").json
    assert [job["kind"] for job in launched["jobs"]] == ["evaluate", "train", "evaluate"] and launched["from_golden"]
    train = open_store().job(launched["train_job"])
    assert train.ref is not None
    wait_until(engine("fake"), train.ref, lambda state: state.done)
    adapter = RunFolder.of(train.id).adapter
    adapter.mkdir(parents=True)
    (adapter / "adapter_config.json").write_text("{}")
    tune("rescue", "parity", train.id, "--golden", MINI, "--no-wait", "--json")
    judge = next(job for job in open_store().jobs() if job.name.endswith("parity"))
    assert judge.spec.adapter and (Path(judge.spec.adapter) / "adapter_config.json").is_file()
    assert "rescue parity" in tune("rescue", "retune", MINI, "--spec", spec).out


def test_a_golden_set_that_is_not_there_is_said(tune: Tune) -> None:
    said = tune("rescue", "parity", "job-20261125-00000001", "--golden", MINI)
    assert said.code == 2 and "no golden set" in said.err
