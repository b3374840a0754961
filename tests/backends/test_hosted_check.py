"""What is said before anything is sent: all problems at once, the price with its reasons, the days that are left."""

from __future__ import annotations

import base64
import json
from datetime import date
from pathlib import Path

import pytest

from backends.hosts.check import host_problems
from backends.hosts.estimate import auto_epochs, estimate_hosted
from backends.hosts.host_events import events_of
from backends.hosts.ledger import FILE, read_ledger
from backends.hosts.profile import profile, profiles
from backends.hosts.result_file import last_figures, read_result_file
from backends.hosts.rows import upload_of
from core.errors import BadInput
from core.home import new_id
from core.jobspec import HostSettings, JobSpec
from core.run_folder import RunFolder
from cost_models.prices import PriceBook

from .hosted import KEY, hosted_spec

TODAY = date(2026, 11, 25)


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobSpec:
    """A tune of gpt-4.1-mini at OpenAI."""
    for host in profiles().values():
        monkeypatch.setenv(host.key_variable, KEY)
    return hosted_spec(tmp_path, base_model="gpt-4.1-mini", host=HostSettings())


def wheres(spec: JobSpec, today: date = TODAY) -> list[str]:
    return [problem.where for problem in host_problems(spec, today) if problem.severity == "error"]


def test_the_end_of_a_model_is_a_warning_before_the_last_day_and_an_error_after_it(spec: JobSpec) -> None:
    (warning,) = host_problems(spec, TODAY)
    assert warning.severity == "warning" and "2027-01-14: in 50 days" in warning.what
    assert wheres(spec, date(2027, 1, 6)) == []
    assert wheres(spec, date(2027, 1, 7)) == ["base_model"]


def test_a_tuned_model_is_tuned_on_while_its_base_is(spec: JobSpec) -> None:
    again = spec.model_copy(update={"base_model": "ft:gpt-4.1-mini-2025-04-14:acme:tw:abc"})
    assert wheres(again) == [] and wheres(again, date(2027, 2, 1)) == ["base_model"]


def test_all_that_a_host_does_not_do_is_said_at_once(spec: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    asked = spec.model_copy(
        update={
            "epochs": 2.5, "objective": "dpo", "dpo_beta": 3.0, "base_model": "gpt-4o-mini", "allow_network": False,
            "after": ["job-20261125-00000000"], "early_stopping": 3, "learner": "classic", "dataset": None,
            "host": HostSettings(suffix="x" * 64, training_type="GlobalStandard"),
        }
    )  # fmt: skip
    assert set(wheres(asked)) == {
        "epochs", "objective", "dpo_beta", "allow_network", "after", "early_stopping", "learner", "dataset",
        "host.training_type", "host.profile",
    }  # fmt: skip
    assert wheres(spec.model_copy(update={"kind": "evaluate"})) == ["kind"]


def test_a_suffix_follows_the_rules_of_its_host(spec: JobSpec) -> None:
    azure = HostSettings(
        profile="azure", base_url="https://acme.openai.azure.com/openai/v1/", suffix="too.long.for.azure!"
    )
    assert wheres(spec.model_copy(update={"host": azure})) == ["host.suffix"]
    assert wheres(spec.model_copy(update={"host": azure.model_copy(update={"suffix": "a.dot"})})) == ["host.suffix"]
    assert wheres(spec.model_copy(update={"host": azure.model_copy(update={"suffix": "short"})})) == []


BROKEN = {
    "rows without an answer": [{"role": "user", "content": "Hello"}],
    "turns of a role": [{"role": "wizard", "content": "Hm"}, {"role": "assistant", "content": "Hi"}],
    "turns that say nothing": [{"role": "user", "content": ""}, {"role": "assistant", "content": "Hi"}],
    "a weight other than": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "Hi", "weight": 2}],
    "a special token": [{"role": "user", "content": "<|fim_suffix|>"}, {"role": "assistant", "content": "Hi"}],
    "longer than the host reads": [{"role": "user", "content": "a " * 140_000}, {"role": "assistant", "content": "Hi"}],
}


def test_every_rule_of_the_rows_is_named_with_its_lines(spec: JobSpec, tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text("".join(json.dumps({"messages": turns}) + "\n" for turns in BROKEN.values()), encoding="utf-8")
    found = [
        each for each in host_problems(spec.model_copy(update={"dataset": str(path)}), TODAY) if each.where == "dataset"
    ]
    said = " ".join(each.what for each in found)
    assert all(f"{fault}" in said for fault in BROKEN) and "wants 10 rows at least, and there are 6" in said
    assert all(f": line {line}." in said for line in range(1, len(BROKEN) + 1)) and all(each.hint for each in found)


def test_rows_of_the_hosts_own_kind_go_as_they_are_and_others_are_written_anew(spec: JobSpec, tmp_path: Path) -> None:
    host = profile("openai")
    tools = {"tools": [{"type": "function", "function": {"name": "look", "parameters": {}}}]}
    called = {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "look"}}]}
    given = {"messages": [{"role": "user", "content": "Grüße"}, called], **tools}
    path = tmp_path / "tools.jsonl"
    path.write_text(json.dumps(given) + "\n", encoding="utf-8")
    upload = upload_of(spec.model_copy(update={"dataset": str(path)}), str(path), host)
    assert upload.records == (given,) and "Grüße".encode() in upload.body
    table = tmp_path / "table.csv"
    table.write_text("question,answer,customer\nBlue?,Yes,17\n", encoding="utf-8")
    (row,) = upload_of(spec, str(table), host).records
    assert row == {"messages": [{"role": "user", "content": "Blue?"}, {"role": "assistant", "content": "Yes"}]}
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(json.dumps({"prompt": "Blue?", "chosen": "Yes", "rejected": "No"}) + "\n", encoding="utf-8")
    (row,) = upload_of(spec.model_copy(update={"objective": "dpo"}), str(pairs), host).records
    assert row["non_preferred_output"] == [{"role": "assistant", "content": "No"}]
    assert row["input"] == {"messages": [{"role": "user", "content": "Blue?"}]}


@pytest.mark.parametrize(("rows", "epochs"), [(10, 10), (2, 25), (33, 3), (34, 3), (5000, 3), (10_000, 2), (90_000, 1)])
def test_auto_takes_the_epochs_of_the_published_rule(rows: int, epochs: int) -> None:
    assert auto_epochs(rows) == epochs


def test_an_estimate_is_tokens_times_epochs_times_the_dated_price(spec: JobSpec) -> None:
    usd = estimate_hosted(spec, TODAY).usd
    # 12 rows: 3 + 2 turns of 4 tokens, and about 15 characters of text at 4 a token
    characters = sum(len(f"Colour {row}?Blue.") for row in range(12))
    price = PriceBook.load(today=TODAY).usd("tune.openai.gpt-4.1-mini.training")
    assert usd.likely == pytest.approx(3 * (12 * 11 + characters / 4) * price / 1e6, abs=1e-4)
    assert usd.low is not None and usd.high is not None and usd.low < usd.high
    assert any("2027-01-14, 50 days on" in reason for reason in usd.because)
    azure = HostSettings(profile="azure", base_url="https://acme.openai.azure.com/openai/v1/")
    assert any(
        "a month, used or not" in each
        for each in estimate_hosted(spec.model_copy(update={"host": azure}), TODAY).usd.because
    )


def test_a_price_that_nobody_knows_is_unknown(tmp_path: Path) -> None:
    found = estimate_hosted(hosted_spec(tmp_path), TODAY)
    assert not found.usd.known and "No price" in found.usd.because[-1]
    assert not found.seconds.known and not found.memory_gib.known


OPENAI_CSV = b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,2.5,0.4,,\n2,1.5,0.6,1.75,0.5\n"
AZURE_CSV = (
    b"step,train_loss,train_mean_token_accuracy,validation_loss,full_valid_loss\n1,2.5,0.4,2.0,\n2,1.5,0.6,,1.25\n"
)


@pytest.mark.parametrize(
    ("body", "validation_loss"), [(OPENAI_CSV, 1.75), (base64.b64encode(OPENAI_CSV), 1.75), (AZURE_CSV, 1.25)]
)
def test_a_result_file_is_read_in_every_dialect(body: bytes, validation_loss: float) -> None:
    rows = read_result_file(body)
    assert [row["step"] for row in rows] == [1, 2]
    figures = last_figures(rows)
    assert (figures["loss"], figures["accuracy"], figures["validation_loss"]) == (1.5, 0.6, validation_loss)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\x00\xff\xfe", b"step\n", b"a,b\n1,2\n"])
def test_what_is_no_result_file_costs_nothing(body: bytes) -> None:
    assert read_result_file(body) == []


def test_an_event_of_a_make_that_nobody_described_is_words() -> None:
    class Told:
        id, created_at, level, type, message = "ev-1", None, "warn", "moderation_checks", "blocked:  none"
        data = ("not", "a", "mapping")

    (event,) = events_of(Told())
    assert (event.kind, event.message, event.values) == ("warning", "blocked: none", {})


def test_a_broken_ledger_is_said_and_not_taken_for_none() -> None:
    folder = RunFolder.create(new_id("job"), JobSpec(engine="openai"))
    assert read_ledger(folder) is None
    (folder.path / FILE).write_text("{", encoding="utf-8")
    with pytest.raises(BadInput, match="not a ledger"):
        read_ledger(folder)
