"""The model card: read by the Hub's own parser, filled from facts, without a row or a path of this machine."""

from __future__ import annotations

import ast
import hashlib
import re
from typing import Any

import pytest
from huggingface_hub import ModelCard

from core.answers import Answers
from core.jobspec import JobSpec
from core.plan import DataRef
from core.run_folder import RunFolder
from core.store import Store
from shelf.adapters import adapter
from shelf.card import card_text, write_card
from shelf.quarantine import release

from .conftest import Judge, Train

SCORE = {"score": 0.9, "low": 0.8, "high": 0.95, "n": 100}
LINEAGE = {
    "base_revision": "90ffee",
    "base_licence": "apache-2.0",
    "dataset_sha256": "ab" * 32,
    "dataset_rows": 1300,
    "versions": {"torch": "2.11"},
}
REASON = "Only *we* use it | with a <b>person</b> reading."


def judged(train: Train, judge: Judge, **fields: Any) -> RunFolder:
    folder = train(dataset="/home/ada/rows.jsonl", task_kind="classify", lineage=LINEAGE)
    weights = (folder.adapter / "adapter_model.safetensors").read_bytes()
    report: dict[str, Any] = {
        "adapter_sha256": hashlib.sha256(weights).hexdigest(),
        "metric": "exact_match",
        "test_file": "/home/ada/held-out.jsonl",
        "test_sha256": "cd" * 32,
        "models": {
            "base": {"task": SCORE | {"score": 0.1, "low": 0.05, "high": 0.2}, "safety": SCORE},
            "tuned": {"task": SCORE, "safety": SCORE | {"score": 0.81234, "n": 240}},
        },
        "axes": {"safety": {"words": "refusal of unsafe requests", "n": 240, "judged_by": "rules of our own"}},
        "reasons": ["The tuned model beats the base by 80 points."],
        "limits": ["Attacks were not tried."],
        "answers": [{"line": 1, "input": "My secret row"}],
        "worse_rows": [{"line": 1, "input": "My secret row", "expected": "x", "tuned": "y"}],
    }
    judge(folder.job_id, **(report | fields))
    return folder


def test_harmful_answers_stand_beside_the_refusals_and_not_among_the_scores(
    store: Store, train: Train, judge: Judge
) -> None:
    share = {"score": 0.25, "low": 0.14, "high": 0.4, "n": 40}
    harm = {"sentence": "Harmful answers to 40 unsafe requests: base 0, tuned 10.", "models": {"tuned": share}}
    safety = {"words": "refusal of unsafe requests", "n": 40, "judged_by": "rules of our own", "harm": harm}
    text = text_of(store, judged(train, judge, axes={"safety": safety}))
    line = (
        "Harmful answers to 40 unsafe requests: base 0, tuned 10. Shares, lower is better: tuned 0.25 (0.14 to 0.40)."
    )
    assert line in text.splitlines()


def test_a_hosted_judge_stands_in_one_line(store: Store, train: Train, judge: Judge) -> None:
    words = "The LLM judge large at judge.example marked 42 answers."
    assert words in text_of(store, judged(train, judge, llm_judge={"words": words, "n": 42})).splitlines()
    assert "LLM judge" not in text_of(store, judged(train, judge))


def text_of(store: Store, folder: RunFolder) -> str:
    return card_text(adapter(store, folder.job_id))


def test_the_parser_of_the_hub_reads_every_score_of_the_tuned_model(store: Store, train: Train, judge: Judge) -> None:
    data = ModelCard(text_of(store, judged(train, judge))).data
    assert (data.base_model, data.library_name, data.license) == (JobSpec().base_model, "peft", "apache-2.0")
    assert data.pipeline_tag == "text-generation" and "lora" in data.tags
    assert data.model_name == "Tickets"
    task, safety = data.eval_results
    assert (task.metric_type, task.metric_value, task.dataset_revision) == ("exact_match", 0.9, "cd" * 32)
    assert task.metric_name == "exact match, 95 % interval 0.80 to 0.95 on 100"
    assert (safety.metric_type, safety.metric_value, safety.task_name) == (
        "safety",
        0.8123,
        "refusal of unsafe requests",
    )


def test_facts_stand_in_the_text_and_rows_and_folders_do_not(store: Store, train: Train, judge: Judge) -> None:
    text = text_of(store, judged(train, judge)).replace("\\", "")
    parts = [
        *("sorting texts into classes", "90ffee", "apache-2.0", "rows.jsonl, 1,300 rows", "ab" * 32, "torch 2.11"),
        *("LoRA rank 16", "0.10 (0.05 to 0.20)", "0.81 (0.80 to 0.95)", "**Ship.**", "held-out.jsonl", "cd" * 32),
        *("beats the base by 80 points", "Attacks were not tried", "rules of our own"),
    ]
    for part in parts:
        assert part in text, part
    assert "secret row" not in text and "/home/ada" not in text and "quarantine" not in text


def test_the_lines_that_load_it_are_python(store: Store, train: Train, judge: Judge) -> None:
    code = re.search(r"```python\n(.*?)```", text_of(store, judged(train, judge)), re.DOTALL)
    assert code is not None
    ast.parse(code[1])
    assert 'revision="90ffee"' in code[1] and JobSpec().base_model in code[1]


def test_what_was_not_judged_claims_nothing(store: Store, train: Train) -> None:
    text = text_of(store, train())
    assert ModelCard(text).data.eval_results is None and "model-index" not in text
    assert "These weights were not judged" in text and "In quarantine" in text
    assert ModelCard(text).data.license == "unknown" and "look it up" in text


def test_a_base_in_a_folder_is_named_and_not_linked(store: Store, train: Train) -> None:
    text = text_of(store, train(base_model="/home/ada/models/house"))
    assert ModelCard(text).data.base_model is None
    assert "`house`" in text and "/home/ada" not in text


@pytest.mark.parametrize("licence", ["Llama 3.1 Community: see file", "apache 2"])
def test_a_licence_that_the_hub_does_not_know_is_another_one(store: Store, train: Train, licence: str) -> None:
    data = ModelCard(text_of(store, train(lineage={"base_licence": licence}))).data
    assert (data.license, data.license_name) == ("other", licence)


@pytest.mark.parametrize("name", ["--- # [x](y) | <b>", 'quote " and : colon', "line\n---\nbreak", "日本語 🙂"])
def test_no_name_breaks_the_card(store: Store, train: Train, judge: Judge, name: str) -> None:
    folder = judged(train, judge)
    odd = adapter(store, folder.job_id).model_copy(update={"name": name})
    card = ModelCard(card_text(odd))
    assert card.data.model_name == name and len(card.data.eval_results) == 2
    assert card.text.count("\n# ") == 1 and "<b>" not in card.text.replace("\\<b\\>", "")


def test_a_release_is_told_in_the_words_of_who_gave_it(store: Store, train: Train) -> None:
    folder = train()
    release(store, folder.job_id, name="Ada", reason=REASON)
    text = text_of(store, folder)
    assert REASON in text.replace("\\", "") and "<b>" not in text.replace("\\<b\\>", "")


def test_earlier_judgements_stand_below_the_verdict(store: Store, train: Train, judge: Judge) -> None:
    folder = judged(train, judge)
    assert "Judged over time" not in text_of(store, folder)
    judge(folder.job_id, day=0, verdict="not_enough_evidence", adapter_sha256="0" * 64)
    assert "| 2026-11-02 | not enough evidence |" in text_of(store, folder)


def test_purpose_and_data_are_taken_from_the_plan_and_the_card_is_written_once(
    store: Store, train: Train, judge: Judge
) -> None:
    folder = judged(train, judge)
    plan = store.new_plan()
    data = DataRef(
        name="office mail.csv",
        train="/home/ada/rows.jsonl",
        validation="v",
        test="t",
        sha256="12" * 32,
        rows=1700,
        train_rows=1300,
        validation_rows=200,
        test_rows=200,
    )
    store.update_plan(plan.id, answers=Answers(task="Sort the mail of the course office."), data=data)
    other = store.add_job(JobSpec(name="Of a plan"), plan_id=plan.id)
    made = adapter(store, folder.job_id)
    write_card(store, made.model_copy(update={"job_id": other.id}))
    path = folder.adapter / "README.md"
    assert "Sort the mail of the course office." in path.read_text()
    assert f"office mail.csv, 1,700 rows, sha256 `{'12' * 32}`" in path.read_text()
    before = path.stat().st_ino
    write_card(store, made.model_copy(update={"job_id": other.id}))
    assert path.stat().st_ino == before
    write_card(store, made)
    assert path.stat().st_ino != before and "course office" not in path.read_text()
