"""Parity: marked against right answers where there are some, else agreement and nothing more."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from backends.rescue.golden import Golden, Reply, add_reply, golden_dir, write_golden, write_rows
from backends.rescue.lives import Life
from backends.rescue.parity_job import launch_parity, parity_job
from backends.rescue.retune import retune
from backends.rescue.tuned_models import rescue_dir
from core.errors import BadInput
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import open_store
from dataset.opening import sha256_of
from dataset.read import read
from dataset.row import Message, Row
from evaluation.judged_model import Opened
from evaluation.parity import Parity, parity, read_parity, weigh
from evaluation.parity_labels import FROM_THE_PROMPTS
from evaluation.parity_table import HEAD, table
from evaluation.report import EvaluationReport, JudgedAnswer
from evaluation.run import run_evaluation
from evaluation.stats import wilson
from tests.backends.conftest import wait_until
from tests.evaluation.conftest import RuleModel, RuleRenderer, write_tickets

MODEL = "ft:gpt-4.1-mini-2025-04-14:acme::AbC"
TODAY = date(2026, 11, 25)


def golden(**fields: object) -> Golden:
    told = {"model": MODEL, "host": "openai", "prompts": "prompts.csv", "prompts_sha256": "00", "wanted": 1, "seed": 7}
    told |= {"max_tokens": 64, "started_at": datetime.now(UTC), "life": Life(retires=date(2027, 1, 14), source="x")}
    return Golden.model_validate(told | {"usd_per_1000_calls": 0.4, "seconds_per_answer": 0.8} | fields)


def weighed(old: list[str], new: list[str], right: list[str] | None = None, seen: int = 0, **how: object) -> Parity:
    """Both models' answers by row; of the first `seen` rows training knows."""
    answers = [
        JudgedAnswer(line=at + 1, input=f"question {at}", expected=before, in_training=at < seen,
                     answers={"tuned": after}, scores={"tuned": float(before == after)})
        for at, (before, after) in enumerate(zip(old, new, strict=True))
    ]  # fmt: skip
    report = EvaluationReport(
        verdict="not_enough_evidence",
        reasons=[],
        metric="exact_match",
        metric_words="exact match",
        models={"tuned": {"task": wilson(1, 2)}},
        answers=answers,
        seconds_per_answer={"tuned": 0.036},
        base_model="some/base",
        test_file="t",
        test_sha256="00",
        rows=len(old),
        rows_in_file=len(old),
        seed=7,
        created_at=datetime.now(UTC),
    )
    rows = {at + 1: Row((Message("user", f"question {at}"),), at + 1) for at in range(len(old))}
    return weigh(
        report,
        golden(),
        rows,
        {f"question {at}": text for at, text in enumerate(right or [])},
        source="labels.csv",
        spec=JobSpec(kind="evaluate"),
        train_job="job-20261125-00000001",
        judged_by="job-20261125-00000002",
        margin=0.05,
        today=TODAY,
        **how,  # type: ignore[arg-type]
    )


def test_with_right_answers_both_are_marked_against_them_on_the_same_rows() -> None:
    right = ["a"] * 400
    old = ["a"] * 320 + ["b"] * 80
    new = ["b"] * 10 + ["a"] * 302 + ["b"] * 80 + ["a"] * 8
    found = weighed(old, new, right)
    assert found.verdict == "as_good" and found.quality is not None
    assert (found.quality.better, found.quality.worse, found.labelled, found.labels) == (8, 18, 400, "labels.csv")
    assert found.old.quality and found.new.quality
    assert (found.old.quality.score, found.new.quality.score) == (0.8, 0.775)
    assert "Quality (exact match): kept" in found.reasons[0] and "flattered" in found.limits[0]


def test_a_model_that_loses_beyond_the_margin_is_worse_and_forty_rows_tell_nothing() -> None:
    lost = weighed(["a"] * 300, ["b"] * 60 + ["a"] * 240, ["a"] * 300)
    assert lost.verdict == "worse" and "loses 20 points" in lost.sentence
    few = weighed(["a"] * 40, ["b"] + ["a"] * 39, ["a"] * 40)
    assert few.verdict == "cannot_tell"


def test_without_right_answers_agreement_is_said_to_be_agreement() -> None:
    found = weighed(["a"] * 300, ["a"] * 240 + ["b"] * 60)
    assert found.verdict == "agreement_only" and found.quality is None and found.labels == ""
    assert "which of them is right is not" in found.sentence
    told = " ".join([*found.reasons, found.sentence])
    assert "say the same on 240 of 300 rows" in told and "Quality" not in told and "better" not in told.lower()
    assert [row[1] for row in table(found)] == ["not known", f"not known; agrees {0.8:.3f} (0.751 to 0.841)"]


def test_who_nearly_always_says_the_same_can_have_lost_next_to_nothing() -> None:
    found = weighed(["a"] * 500, ["a"] * 495 + ["b"] * 5)
    assert found.verdict == "as_good" and found.quality is None and "whatever is right" in found.sentence
    assert found.same.high < 0.05


def test_a_few_right_answers_take_nothing_from_what_agreement_shows() -> None:
    found = weighed(["a"] * 500, ["a"] * 495 + ["b"] * 5, ["a"] * 12)
    assert found.quality is not None and found.quality.state == "cannot_tell" and found.labelled == 12
    assert found.verdict == "as_good" and "whatever is right" in found.sentence


def test_rows_that_training_has_seen_count_nothing() -> None:
    found = weighed(["a"] * 100, ["b"] * 50 + ["a"] * 50, ["a"] * 100, seen=50)
    assert (found.rows, found.left_out, found.labelled) == (50, 50, 50)
    assert found.new.quality and found.new.quality.score == 1.0
    with pytest.raises(BadInput, match="seen every golden row"):
        weighed(["a"], ["a"], seen=1)


def test_the_table_holds_cost_time_lock_in_and_days_left_and_what_is_not_known_is_said() -> None:
    found = weighed(["a"] * 40, ["a"] * 40, usd_per_hour=2.0)
    old, new = (dict(zip(HEAD, row, strict=True)) for row in table(found))
    assert (old["1,000 calls"], old["days left"]) == ("$0.400", "50 days")
    assert new["1,000 calls"] == "$0.020", "0.036 s at 2 dollars an hour, a thousand times"
    assert new["days left"] == "no end" and new["lock-in"].startswith("none") and "network" in old["an answer"]
    free = weighed(["a"] * 40, ["a"] * 40)
    assert table(free)[1][2] == "not priced"


def recorded(prompts: Path, answers: list[str]) -> Path:
    """A golden set on the rows of a file, as the recorder leaves it."""
    folder = golden_dir(MODEL)
    rescue_dir()
    folder.mkdir()
    replies = []
    for line, text in enumerate(prompts.read_text(encoding="utf-8").splitlines(), 1):
        asked = [(turn["role"], turn["content"]) for turn in json.loads(text)["messages"][:-1]]
        reply = Reply(line=line, asked=asked, text=answers[line - 1], prompt_tokens=9, answer_tokens=1,
                      truncated=False, seconds=0.5)  # fmt: skip
        add_reply(folder, reply)
        replies.append(reply)
    told = {"prompts": str(prompts), "prompts_sha256": sha256_of(prompts), "wanted": len(replies)}
    write_golden(folder, golden(**told, answered=len(replies), rows_sha256=write_rows(folder, replies)))
    return folder


def test_the_new_adapter_is_asked_the_golden_prompts_and_held_against_the_answers_in_their_file(tmp_path: Path) -> None:
    """The whole way, with an engine that trains nothing and a model that answers by a rule."""
    prompts = write_tickets(tmp_path / "prompts.jsonl", range(300, 340))
    right = [json.loads(text)["messages"][-1]["content"] for text in prompts.read_text().splitlines()]
    folder = recorded(prompts, [*right[:36], *["no"] * 4])
    store = open_store()
    # Nine of the golden prompts are trained on, or choose the checkpoint, or are held out with the others.
    tickets = write_tickets(tmp_path / "train.jsonl", [*range(100, 160), *range(300, 309)])
    made = retune(store, str(tickets), JobSpec(engine="fake", fake={"seconds": 0.02}, device="cpu"), golden=MODEL)
    from backends.engines import engine

    assert made.train.ref is not None
    wait_until(engine("fake"), made.train.ref, lambda state: state.done)
    with pytest.raises(BadInput, match="left no weights"):
        launch_parity(store, made.train.id, folder)
    adapter, base = RunFolder.of(made.train.id).adapter, tmp_path / "base"
    for place in (adapter, base):
        place.mkdir(parents=True)
    (adapter / "adapter_config.json").write_text("{}")
    (adapter / "adapter_model.safetensors").write_bytes(b"weights")
    (base / "model.safetensors").write_bytes(b"base")
    job = launch_parity(store, made.train.id, folder)
    assert launch_parity(store, made.train.id, folder).id == job.id, "asked once"
    assert job.spec.models == ["tuned"] and job.spec.axes == ["task"]
    assert (job.spec.job, job.plan_id) == (None, None), "no verdict on the adapter, nor on its plan"
    run = RunFolder.create(job.id, job.spec)
    by_input = dict(zip([json.loads(text)["messages"][0]["content"] for text in prompts.read_text().splitlines()],
                        right, strict=True))  # fmt: skip
    rule = RuleModel(lambda prompt, tuned: next(by_input[asked] for asked in by_input if asked in prompt))
    run_evaluation(job.spec, run, lambda: False, lambda *_: Opened(rule, RuleRenderer(), base))
    found = parity(job, folder, today=TODAY)
    seen = {row.user_text for path in (made.train.spec.dataset, made.train.spec.validation)
            for row in read(Path(str(path))).rows}  # fmt: skip
    left_out = sum(asked in seen for asked in by_input)
    assert 0 < left_out <= 9 and (found.rows, found.left_out) == (40 - left_out, left_out)
    assert found.labels == FROM_THE_PROMPTS and found.old.quality and found.new.quality
    assert (found.old.quality.score, found.new.quality.score) == (1 - 4 / found.rows, 1.0)
    assert found.quality and (found.quality.better, found.quality.worse) == (4, 0)
    assert read_parity(folder, found.train_job) == found
    prompts.write_text(prompts.read_text() + "\n")
    assert parity(job, folder, today=TODAY).labels == "", "another file than was recorded has no say"
    assert parity(job, folder, today=TODAY, labels=prompts).labels == "prompts.jsonl"
    assert parity_job(store, made.train.id, "other rows") is None
