"""The shelf keeps a small classifier as what it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.job import Outcome, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import Store
from serving.classic_classifier import save_classic
from shelf.adapters import Adapter, adapters
from shelf.card import card_text, write_card
from shelf.export import export
from training.classic import FittedClassic, fit_classic
from tuneworthy import cli

from .conftest import Judge


@pytest.fixture(scope="module")
def fitted() -> FittedClassic:
    return fit_classic(["lost card", "card gone", "wrong fee", "a fee"], ["card", "card", "fee", "fee"], seed=7)


@pytest.fixture
def made(store: Store, fitted: FittedClassic) -> RunFolder:
    spec = JobSpec(name="Tickets", learner="classic", seed=7)
    folder = RunFolder.create(store.add_job(spec, plan_id=None).id, spec)
    save_classic(folder.classifier, fitted.card, fitted.weights)
    (folder.path / "lineage.json").write_text(
        json.dumps({"base_model": None, "dataset_sha256": "ab", "dataset_rows": 4})
    )
    result = Result(classifier=str(folder.classifier))
    folder.finish(Outcome(state="succeeded", result=result, at=datetime(2026, 11, 2, tzinfo=UTC)))
    return folder


def only(store: Store) -> Adapter:
    (found,) = adapters(store)
    return found


def test_a_classifier_stands_on_the_shelf_with_what_it_is(store: Store, made: RunFolder) -> None:
    found = only(store)
    assert (found.form, found.path, found.base_model) == ("classic", made.classifier, "")
    assert found.method == "TF-IDF + logistic regression, seed 7"
    assert found.usable and found.weights_sha256 and found.size_bytes > 500 and found.quarantined


def test_one_that_is_cut_off_is_not_usable(store: Store, made: RunFolder) -> None:
    weights = made.classifier / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])
    assert not only(store).usable and "cut off" in only(store).problems[0].what


def test_its_verdict_is_found_by_its_training_whatever_base_it_was_held_against(
    store: Store, made: RunFolder, judge: Judge
) -> None:
    sha256 = only(store).weights_sha256
    judge(made.job_id, adapter_sha256=sha256, base_revision="some-commit-of-the-base")
    assert only(store).verdict == "ship" and not only(store).quarantined


def test_its_card_speaks_of_a_classifier(store: Store, made: RunFolder) -> None:
    text = card_text(only(store))
    assert "pipeline_tag: text-classification" in text and "peft" not in text.lower()
    assert "It gives a text one of its labels and writes nothing." in text
    assert "load_classifier" in text and "Licence of the base" not in text and "adapter" not in text.lower()


def test_it_can_be_taken_away_and_opened_elsewhere(store: Store, made: RunFolder, judge: Judge, tmp_path: Path) -> None:
    from serving.classifier import load_classifier

    judge(made.job_id, adapter_sha256=only(store).weights_sha256)
    write_card(store, only(store))
    taken = export(store, made.job_id, tmp_path / "taken")
    assert sorted(file.name for file in taken.iterdir()) == [
        "README.md", "classifier.json", "lineage.json", "model.safetensors",
    ]  # fmt: skip
    assert load_classifier(taken).sort(["my card is lost"])[0].label == "card"


def test_the_command_line_lists_and_asks_it(made: RunFolder) -> None:
    listed = json.loads(CliRunner().invoke(cli, ["shelf", "--json"]).output)["adapters"]
    assert [(each["job_id"], each["form"]) for each in listed] == [(made.job_id, "classic")]
    assert "Classifier" in " ".join(CliRunner().invoke(cli, ["shelf"]).output.split())
    said = CliRunner().invoke(cli, ["chat", made.job_id, "where is my card?", "--json"])
    assert said.exit_code == 0, said.output
    told = json.loads(said.output)
    assert told["tuned"] == "card" and 0.5 < told["share"] < 1
