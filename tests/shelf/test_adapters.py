from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.base_models import READY
from core.errors import BadInput, NotFound
from core.home import cache_dir
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import Store
from shelf.adapters import adapter, adapters, archive, rename
from shelf.weights import problems_of_folder

from .conftest import Judge, Train, safetensors, write_adapter


def test_an_empty_shelf_is_empty(store: Store) -> None:
    assert adapters(store) == []


def test_an_adapter_stands_with_where_it_comes_from(store: Store, train: Train) -> None:
    folder = train(
        base_revision="12ab",
        epochs=1.0,
        lineage={
            "base_model": "HuggingFaceTB/SmolLM2-135M-Instruct",
            "base_revision": "12ab90ffee",
            "dataset_sha256": "ab" * 32,
            "versions": {"torch": "2.11"},
            "created_at": "2026-11-01T10:00:00Z",
            "rows_cut": 3,
        },
    )
    found = adapters(store)[0]
    assert (found.job_id, found.name, found.path) == (folder.job_id, "Tickets", folder.adapter)
    assert (found.base_revision, found.base_commit, found.dataset_sha256) == ("12ab", "12ab90ffee", "ab" * 32)
    assert found.method == "LoRA rank 16, alpha 32, 1 epoch, learning rate 0.001, seed 7"
    assert found.created_at.isoformat() == "2026-11-01T10:00:00+00:00"
    assert found.lineage is not None and found.lineage.versions == {"torch": "2.11"}
    assert found.lineage.model_dump()["rows_cut"] == 3
    assert not found.judged and found.verdict is None and found.usable and not found.problems


def test_size_is_that_of_all_its_files(store: Store, train: Train) -> None:
    folder = train()
    (folder.adapter / "README.md").write_bytes(b"0" * 2**20)
    found = adapters(store)[0]
    assert found.size_bytes == sum(path.stat().st_size for path in folder.adapter.iterdir())
    assert found.size_mib == 1.0


def test_the_licence_is_that_of_the_base(store: Store, train: Train) -> None:
    base = cache_dir() / "models" / "house--small"
    base.mkdir(parents=True)
    for name, text in (("config.json", "{}"), ("tokenizer.json", "{}"), (READY, '{"licence": "mit"}')):
        (base / name).write_text(text)
    (base / "model.safetensors").write_bytes(b"")
    train("known", base_model="house/small")
    train("elsewhere", base_model="house/other")
    train("told", base_model="house/other", lineage={"base_licence": "apache-2.0"})
    assert {each.name: each.licence for each in adapters(store)} == {
        "known": "mit",
        "elsewhere": None,
        "told": "apache-2.0",
    }


def test_the_newest_judgement_counts(store: Store, train: Train, judge: Judge) -> None:
    folder = train()
    newest = judge(folder.job_id, day=3, verdict="do_not_ship")
    judge(folder.job_id, day=2, verdict="ship")
    found = adapter(store, folder.job_id)
    assert found.judged and (found.verdict, found.judged_by) == ("do_not_ship", newest.job_id)
    assert {name: score.score for name, score in found.scores.items()} == {"base": 0.1, "tuned": 0.9}
    assert (found.metric_words, found.rows) == ("exact match", 100)


def test_a_judgement_that_names_the_folder_counts(store: Store, train: Train, judge: Judge) -> None:
    folder = train()
    other = train("Other")
    judge(None, adapter=str(folder.adapter))
    assert adapter(store, folder.job_id).judged
    assert not adapter(store, other.job_id).judged


def test_an_evaluation_without_the_tuned_model_judges_nothing(store: Store, train: Train, judge: Judge) -> None:
    folder = train()
    judge(folder.job_id, models={"base": {"task": {"score": 0.1, "low": 0, "high": 0.2, "n": 9}}})
    assert not adapter(store, folder.job_id).judged


def test_weights_that_changed_after_the_verdict_are_not_judged(store: Store, train: Train, judge: Judge) -> None:
    folder = train()
    weights = folder.adapter / "adapter_model.safetensors"
    judge(folder.job_id, adapter_sha256=hashlib.sha256(weights.read_bytes()).hexdigest())
    assert adapter(store, folder.job_id).judged
    weights.write_bytes(safetensors(fill=2.0))
    found = adapter(store, folder.job_id)
    assert not found.judged and found.verdict is None and not found.scores
    assert "after it was judged" in str(found.problems[0]) and found.usable


@pytest.mark.parametrize("text", ["", "{", "[]", '{"verdict": 3}', '{"verdict": "ship", "models": {"tuned": 1}}'])
def test_an_unreadable_judgement_is_no_judgement(store: Store, train: Train, judge: Judge, text: str) -> None:
    folder = train()
    judge(folder.job_id).evaluation_file.write_text(text)
    assert not adapter(store, folder.job_id).judged


def test_a_new_name_and_a_place_in_the_archive_last(store: Store, train: Train) -> None:
    folder = train()
    rename(store, folder.job_id, "  House  style ")
    archive(store, folder.job_id)
    assert [(each.name, each.archived) for each in adapters(store)] == [("House style", True)]
    assert adapters(store, archived=False) == []
    archive(store, folder.job_id, False)
    assert adapters(store, archived=False)[0].name == "House style"
    assert folder.adapter.is_dir()


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_name_that_says_nothing_is_refused(store: Store, train: Train, name: str) -> None:
    folder = train()
    with pytest.raises(BadInput, match="1 to 120 characters"):
        rename(store, folder.job_id, name)
    assert adapter(store, folder.job_id).name == "Tickets"


def test_what_is_not_on_the_shelf_is_not_found(store: Store, train: Train) -> None:
    train()
    for act in (lambda: adapter(store, "job-x"), lambda: rename(store, "job-x", "a"), lambda: archive(store, "job-x")):
        with pytest.raises(NotFound, match="no adapter of the job `job-x`"):
            act()


def test_only_ended_trainings_put_something_here(store: Store, train: Train, judge: Judge) -> None:
    running = JobSpec(name="running")
    folder = RunFolder.create(store.add_job(running, plan_id=None).id, running)
    write_adapter(folder.adapter)
    nothing_left = train("failed", state="failed")
    shutil.rmtree(nothing_left.adapter)
    outcome = json.loads((nothing_left.path / "outcome.json").read_text())
    outcome["result"]["adapter"] = None
    (nothing_left.path / "outcome.json").write_text(json.dumps(outcome))
    stopped = train("stopped", state="cancelled")
    judge(stopped.job_id)
    store.add_job(JobSpec(engine="fake"), plan_id=None)
    assert [(each.name, each.training) for each in adapters(store)] == [("stopped", "cancelled")]


def test_the_newest_comes_first(store: Store, train: Train) -> None:
    made = [train(name).job_id for name in ("one", "two", "three")]
    assert [each.job_id for each in adapters(store)] == made[::-1]


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("adapter_config.json", None, "adapter_config.json is missing"),
        ("adapter_config.json", b"{", "is not JSON"),
        ("adapter_config.json", b"[1]", "is not JSON"),
        ("adapter_model.safetensors", None, "adapter_model.safetensors is missing"),
        ("adapter_model.safetensors", b"", "cut off"),
        ("adapter_model.safetensors", safetensors()[:-5], "cut off"),
        ("adapter_model.safetensors", b"\xff" * 100, "cut off"),
    ],
)
def test_a_broken_folder_is_said_with_the_remedy(
    store: Store, train: Train, file: str, content: bytes | None, words: str
) -> None:
    folder = train()
    whole = train("whole")
    path = folder.adapter / file
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    found = adapter(store, folder.job_id)
    assert not found.usable
    assert words in str(found.problems[0]) and found.problems[0].hint.startswith("Train it again")
    assert adapter(store, whole.job_id).usable


def test_an_adapter_whose_folder_was_deleted_by_hand_can_still_be_cleared_away(store: Store, train: Train) -> None:
    folder, half = train(), train("half")
    adapters(store)
    shutil.rmtree(folder.path)
    shutil.rmtree(half.adapter)
    found = {each.name: each for each in adapters(store)}
    assert not found["Tickets"].usable and "folder is gone" in str(found["Tickets"].problems[0])
    assert "folder is gone" in str(found["half"].problems[0])
    store.delete_job(folder.job_id)
    assert [each.name for each in adapters(store)] == ["half"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"versions": 3}', "\x00", "[" * 100_000])
def test_a_broken_lineage_falls_back_on_what_was_asked(store: Store, train: Train, text: str) -> None:
    train(lineage=text, dataset_sha256="cd" * 32)
    found = adapters(store)[0]
    assert found.dataset_sha256 == "cd" * 32 and found.lineage is None
    assert found.usable and "lineage.json" in found.problems[0].where
    assert found.problems[0].severity == "warning"


def test_a_lineage_beside_the_weights_comes_first(store: Store, train: Train) -> None:
    folder = train(lineage={"dataset_sha256": "a"})
    (folder.adapter / "lineage.json").write_text('{"dataset_sha256": "b"}')
    assert adapters(store)[0].dataset_sha256 == "b"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 300), junk=st.binary(max_size=40))
def test_no_bytes_of_weights_break_the_look(tmp_path: Path, cut: int, junk: bytes) -> None:
    write_adapter(tmp_path / "adapter")
    whole = safetensors()
    (tmp_path / "adapter" / "adapter_model.safetensors").write_bytes(whole[:cut] + junk)
    assert problems_of_folder(tmp_path / "adapter")


def test_the_list_can_be_written_as_json(store: Store, train: Train, judge: Judge) -> None:
    folder = train(lineage={"versions": {"torch": "2.11"}})
    judge(folder.job_id)
    told = json.loads(json.dumps([each.model_dump(mode="json") for each in adapters(store)]))
    assert told[0]["job_id"] == folder.job_id and told[0]["scores"]["tuned"]["n"] == 100
