"""Quarantine: only what was judged fit to ship is free, a release needs name and reason and ends with new weights."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from core.adapter_settings import settings_sha256
from core.errors import BadInput, NotFound, ProblemsFound, Refused
from core.run_folder import RunFolder
from core.store import Store
from shelf.adapters import adapter, adapters
from shelf.export import export, export_bytes
from shelf.quarantine import refuse_quarantined, release

from .conftest import Judge, Train, safetensors

REASON = "Five colleagues try it for a week, and read every answer."


def sha256(folder: RunFolder) -> str:
    return hashlib.sha256((folder.adapter / "adapter_model.safetensors").read_bytes()).hexdigest()


def shipped(train: Train, judge: Judge, **fields: Any) -> RunFolder:
    folder = train(lineage={"dataset": "/home/ada/rows.jsonl", "spec": {"test": "/home/ada/held.jsonl", "seed": 7}})
    judge(folder.job_id, adapter_sha256=sha256(folder), **fields)
    return folder


def test_what_nobody_has_judged_is_in_quarantine(store: Store, train: Train) -> None:
    found = adapter(store, train().job_id)
    assert found.quarantined and found.quarantine == "Nobody has judged it." and not found.may_leave
    with pytest.raises(Refused, match="in quarantine"):
        refuse_quarantined(found)


@pytest.mark.parametrize(
    ("verdict", "words"),
    [("do_not_ship", "do not ship"), ("not_enough_evidence", "not enough evidence")],
)
def test_any_verdict_but_ship_keeps_it_there(
    store: Store, train: Train, judge: Judge, verdict: str, words: str
) -> None:
    folder = shipped(train, judge)
    judge(folder.job_id, day=5, verdict=verdict, adapter_sha256=sha256(folder))
    found = adapter(store, folder.job_id)
    assert found.quarantined and found.quarantine == f"Its newest verdict is: {words}."


def test_another_alpha_brings_it_back_and_an_older_report_goes_by_the_weights(
    store: Store, train: Train, judge: Judge
) -> None:
    told = shipped(train, judge)
    judge(told.job_id, day=2, adapter_sha256=sha256(told), adapter_settings_sha256=settings_sha256(told.adapter))
    older = shipped(train, judge)
    assert adapter(store, told.job_id).may_leave
    for folder in (told, older):
        (folder.adapter / "adapter_config.json").write_text('{"peft_type": "LORA", "lora_alpha": 640}')
    found = adapter(store, told.job_id)
    assert found.quarantine == "Its settings have changed since its verdict, so it is not judged as it is."
    assert not found.judged and found.problems[0].what == "its settings have changed since it was judged."
    assert [each.these_weights for each in found.history] == [False, True]
    assert adapter(store, older.job_id).may_leave


def test_ship_on_these_very_weights_sets_it_free(store: Store, train: Train, judge: Judge) -> None:
    folder = shipped(train, judge)
    found = adapter(store, folder.job_id)
    assert not found.quarantined and found.quarantine == "" and found.may_leave
    refuse_quarantined(found)


def test_training_on_after_the_verdict_brings_it_back(store: Store, train: Train, judge: Judge) -> None:
    folder = shipped(train, judge)
    (folder.adapter / "adapter_model.safetensors").write_bytes(safetensors(fill=2.0))
    assert "trained on after its verdict" in adapter(store, folder.job_id).quarantine


def test_a_verdict_that_names_no_weights_frees_nothing(store: Store, train: Train, judge: Judge) -> None:
    folder = train()
    judge(folder.job_id)
    assert "which weights" in adapter(store, folder.job_id).quarantine


def test_weights_that_are_gone_are_in_quarantine_and_cannot_be_released(
    store: Store, train: Train, judge: Judge
) -> None:
    folder = shipped(train, judge)
    (folder.adapter / "adapter_model.safetensors").unlink()
    assert "cannot be read" in adapter(store, folder.job_id).quarantine
    with pytest.raises(NotFound):
        release(store, folder.job_id, name="Ada", reason=REASON)


def test_a_verdict_on_another_revision_of_the_base_is_told_and_frees_nothing(
    store: Store, train: Train, judge: Judge
) -> None:
    folder = train(base_revision="aa11", lineage={"base_revision": "aa11ff"})
    judge(folder.job_id, day=1, verdict="do_not_ship", base_revision="aa11", adapter_sha256=sha256(folder))
    judge(folder.job_id, day=2, verdict="ship", base_revision="bb22", adapter_sha256=sha256(folder))
    found = adapter(store, folder.job_id)
    assert found.verdict == "do_not_ship" and found.quarantined
    assert [(each.verdict, each.base_revision) for each in found.history] == [("ship", "bb22"), ("do_not_ship", "aa11")]
    judge(folder.job_id, day=3, verdict="ship", base_revision="aa11ff", adapter_sha256=sha256(folder))
    assert not adapter(store, folder.job_id).quarantined


def test_history_tells_which_verdicts_were_on_other_weights(store: Store, train: Train, judge: Judge) -> None:
    folder = train()
    judge(folder.job_id, day=1, adapter_sha256="0" * 64, test_file="/home/ada/held.jsonl", test_sha256="ab")
    judge(folder.job_id, day=2, adapter_sha256=sha256(folder))
    newest, oldest = adapter(store, folder.job_id).history
    assert (newest.these_weights, oldest.these_weights) == (True, False)
    assert (oldest.rows_name, oldest.rows_sha256, oldest.score.n) == ("held.jsonl", "ab", 100)


def test_a_release_lets_it_out_and_is_shown_with_its_verdict(store: Store, train: Train, judge: Judge) -> None:
    folder = train()
    judged = judge(folder.job_id, verdict="do_not_ship", adapter_sha256=sha256(folder))
    made = release(store, folder.job_id, name="Ada Byron", reason=REASON)
    found = adapter(store, folder.job_id)
    assert found.release == made and found.quarantined and found.may_leave
    assert (made.verdict, made.judged_by, made.weights_sha256) == ("do_not_ship", judged.job_id, sha256(folder))
    told = json.loads(adapters(store)[0].model_dump_json())
    assert told["quarantined"] is True and told["release"]["reason"] == REASON and "judgement" not in told
    card = (folder.adapter / "README.md").read_text()
    assert "Released all the same" in card and "Ada Byron" in card and REASON in card


def test_new_weights_end_a_release_and_the_old_ones_bring_it_back(store: Store, train: Train) -> None:
    folder = train()
    weights = folder.adapter / "adapter_model.safetensors"
    before = weights.read_bytes()
    release(store, folder.job_id, name="Ada", reason=REASON)
    weights.write_bytes(safetensors(fill=2.0))
    assert adapter(store, folder.job_id).release is None
    weights.write_bytes(before)
    assert adapter(store, folder.job_id).release is not None


def test_a_release_of_what_nobody_had_judged_ends_when_it_is_judged_unfit(
    store: Store, train: Train, judge: Judge
) -> None:
    folder = train()
    release(store, folder.job_id, name="Ada", reason=REASON)
    judge(folder.job_id, day=2, verdict="do_not_ship", adapter_sha256=sha256(folder))
    assert not adapter(store, folder.job_id).may_leave
    release(store, folder.job_id, name="Ada", reason=REASON)
    judge(folder.job_id, day=3, verdict="do_not_ship", adapter_sha256=sha256(folder))
    assert adapter(store, folder.job_id).may_leave, "the same verdict once more is no news"


def test_a_release_without_a_reason_or_of_what_is_free_is_refused(store: Store, train: Train, judge: Judge) -> None:
    with pytest.raises(ProblemsFound, match="reason"):
        release(store, train().job_id, name="Ada", reason="just because")
    with pytest.raises(Refused, match="not in quarantine"):
        release(store, shipped(train, judge).job_id, name="Ada", reason=REASON)
    assert store.releases() == []


def test_an_export_holds_weights_settings_lineage_and_card_and_no_path(
    store: Store, train: Train, judge: Judge, tmp_path: Path
) -> None:
    folder = shipped(train, judge)
    (folder.adapter / "notes.txt").write_text("not asked for")
    target = export(store, folder.job_id, tmp_path / "new" / "tickets")
    names = {"adapter_config.json", "adapter_model.safetensors", "lineage.json", "README.md"}
    assert {path.name for path in target.iterdir()} == names
    assert hashlib.sha256((target / "adapter_model.safetensors").read_bytes()).hexdigest() == sha256(folder)
    told = json.loads((target / "lineage.json").read_text())
    assert (told["dataset"], told["spec"]) == ("rows.jsonl", {"test": "held.jsonl", "seed": 7})
    assert "/home/ada" not in (target / "README.md").read_text()
    assert list((tmp_path / "new").iterdir()) == [target], "something was left beside it"


def test_an_export_as_zip_holds_one_folder(store: Store, train: Train, judge: Judge, tmp_path: Path) -> None:
    folder = shipped(train, judge)
    made = export(store, folder.job_id, tmp_path / "tickets.zip")
    with zipfile.ZipFile(made) as archive:
        assert archive.testzip() is None
        assert {name.split("/")[0] for name in archive.namelist()} == {"tickets"} and len(archive.namelist()) == 4
    (tmp_path / "again.zip").write_bytes(export_bytes(store, folder.job_id, "tickets"))
    assert zipfile.is_zipfile(tmp_path / "again.zip")


def test_what_is_in_quarantine_is_not_exported_until_it_is_released(store: Store, train: Train, tmp_path: Path) -> None:
    folder = train()
    with pytest.raises(Refused, match="Nobody has judged it"):
        export(store, folder.job_id, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    release(store, folder.job_id, name="Ada", reason=REASON)
    card = (export(store, folder.job_id, tmp_path / "out") / "README.md").read_text()
    assert REASON in card and "These weights were not judged" in card


def test_nothing_that_is_there_is_written_over(store: Store, train: Train, judge: Judge, tmp_path: Path) -> None:
    folder = shipped(train, judge)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("dear to somebody")
    (tmp_path / "a.zip").write_bytes(b"")
    for target in ("taken", "a.zip", "taken/thesis.txt"):
        with pytest.raises(BadInput, match="there already"):
            export(store, folder.job_id, tmp_path / target)
    assert (tmp_path / "taken" / "thesis.txt").read_text() == "dear to somebody"
    (tmp_path / "empty").mkdir()
    assert export(store, folder.job_id, tmp_path / "empty").is_dir()


def test_a_broken_adapter_is_not_exported(store: Store, train: Train, judge: Judge, tmp_path: Path) -> None:
    folder = shipped(train, judge)
    (folder.adapter / "adapter_config.json").write_text("{")
    with pytest.raises(ProblemsFound, match="is not JSON"):
        export(store, folder.job_id, tmp_path / "out")
