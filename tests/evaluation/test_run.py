from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput, NotFound, Refused
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from evaluation.answering import MOST_STEP_EVENTS, Progress
from evaluation.report import read_report
from evaluation.run import run_evaluation

from .conftest import Rule, RuleModel, right_answer, write_tickets

Judge = Callable[[JobSpec, Rule], Any]


def never() -> bool:
    return False


@pytest.fixture
def judge(open_rule: Any, run: Callable[[JobSpec], RunFolder]) -> Judge:
    def judged(spec: JobSpec, rule: Rule) -> Any:
        folder = run(spec)
        result = run_evaluation(spec, folder, never, open_rule(RuleModel(rule)))
        assert result.evaluation == str(folder.evaluation_file)
        return read_report(folder.evaluation_file)

    return judged


def tuned_only(prompt: str, tuned: bool) -> str:
    return right_answer(prompt) if tuned else "I am happy to help."


def test_a_tune_that_learned_the_form_ships(tickets: JobSpec, judge: Judge) -> None:
    report = judge(tickets, tuned_only)
    assert report.verdict == "ship"
    assert report.metric == "json_match"
    assert list(report.models) == ["base", "best_prompt", "tuned"]
    assert report.models["tuned"]["task"].score == 1.0
    assert report.models["base"]["task"].high < report.models["tuned"]["task"].low
    assert report.paired["tuned_vs_best_prompt"].sentence.startswith("better on 40 of 40 rows, worse on 0")
    assert report.fields["tuned"] == {"queue": 1.0, "course": 1.0}
    assert report.json_valid["base"].score == 0.0
    assert report.rows == 40 and not report.worse_rows
    assert {answer.line for answer in report.answers} == set(range(1, 41))


def test_a_prompt_that_does_it_is_said_to(tickets: JobSpec, judge: Judge) -> None:
    def follows_examples(prompt: str, tuned: bool) -> str:
        return right_answer(prompt) if tuned or "assistant: {" in prompt else "Sure."

    report = judge(tickets, follows_examples)
    assert report.verdict == "do_not_ship"
    assert report.reasons[0].startswith("The prompt does this")
    assert report.prompt.name.startswith(("fixed", "nearest"))
    assert report.prompt.chosen_on == "validation rows"
    assert report.prompt.mean_tokens > 2 * report.prompt.base_mean_tokens
    assert {candidate.name: candidate.score for candidate in report.prompt.candidates}["told"] == 0.0


def test_the_prompt_is_chosen_without_a_look_at_test_rows(
    tickets: JobSpec, open_rule: Any, run: Callable[[JobSpec], RunFolder]
) -> None:
    asked: list[tuple[str, bool]] = []

    def spy(prompt: str, tuned: bool) -> str:
        asked.append((prompt, tuned))
        return "no"

    run_evaluation(tickets, run(tickets), never, open_rule(RuleModel(spy)))
    before_choice = [prompt for prompt, _ in asked[40:-120]]
    assert before_choice and all("MAT-2" in prompt.rsplit("user: ", 1)[1] for prompt in before_choice)
    assert not any("MAT-3" in prompt for prompt in before_choice)
    # No example in any prompt comes from the validation or the test rows. At the end the base is asked again.
    assert not any("MAT-2" in prompt or "MAT-3" in prompt.rsplit("user: ", 1)[0] for prompt, _ in asked[-120:])


def test_rows_that_got_worse_are_shown_with_both_answers(tickets: JobSpec, judge: Judge) -> None:
    def forgets_exams(prompt: str, tuned: bool) -> str:
        return "exams?" if tuned and "exam clashes" in prompt else right_answer(prompt)

    report = judge(tickets, forgets_exams)
    assert report.verdict == "do_not_ship"
    assert len(report.worse_rows) == 13
    worst = report.worse_rows[0]
    assert (worst.line, worst.tuned) == (3, "exams?")
    assert worst.base == worst.best_prompt == worst.expected


def test_held_out_rows_that_stand_in_training_count_apart(tickets: JobSpec, judge: Judge, tmp_path: Path) -> None:
    leaky = tickets.model_copy(
        update={"test": str(write_tickets(tmp_path / "leaky.jsonl", [*range(100, 115), *range(300, 330)]))}
    )

    def learned_by_heart(prompt: str, tuned: bool) -> str:
        return right_answer(prompt) if tuned and "MAT-1" in prompt.rsplit("user: ", 1)[1] else "no"

    report = judge(leaky, learned_by_heart)
    assert report.leak.overlap == 15 and report.leak.lines == list(range(1, 16))
    assert report.leak.naive["tuned"].score == pytest.approx(15 / 45)
    assert report.models["tuned"]["task"].score == 0.0 and report.rows == 30
    assert report.verdict == "do_not_ship"
    assert any("15 held-out rows stand in training" in reason for reason in report.reasons)


def test_rows_that_were_learned_by_heart_are_not_among_those_that_got_worse(
    tickets: JobSpec, judge: Judge, tmp_path: Path
) -> None:
    leaky = write_tickets(tmp_path / "leaky.jsonl", [*range(100, 105), *range(300, 330)])

    def worse_everywhere(prompt: str, tuned: bool) -> str:
        return "no" if tuned else right_answer(prompt)

    report = judge(tickets.model_copy(update={"test": str(leaky)}), worse_everywhere)
    assert [row.line for row in report.worse_rows] == list(range(6, 36))


def test_where_every_row_was_trained_on_there_is_no_verdict(tickets: JobSpec, judge: Judge) -> None:
    report = judge(tickets.model_copy(update={"test": tickets.dataset}), lambda prompt, tuned: right_answer(prompt))
    assert report.verdict == "not_enough_evidence" and report.rows == 0
    assert "only 0 rows" in report.reasons[0]
    assert any("60 held-out rows stand in training" in reason for reason in report.reasons)
    assert (report.models["tuned"]["task"].low, report.models["tuned"]["task"].high) == (0.0, 1.0)
    assert report.leak.naive["tuned"].score == 1.0


def test_training_rows_that_changed_since_are_refused(tickets: JobSpec, judge: Judge) -> None:
    known = hashlib.sha256(Path(tickets.dataset or "").read_bytes()).hexdigest()
    same = tickets.model_copy(update={"dataset_sha256": known})
    assert judge(same, tuned_only).verdict == "ship"
    write_tickets(Path(tickets.dataset or ""), range(300, 360))
    with pytest.raises(Refused, match="has changed since the tune was asked for"):
        judge(same, tuned_only)


def test_the_same_judgement_twice_is_the_same(tickets: JobSpec, judge: Judge) -> None:
    def sometimes(prompt: str, tuned: bool) -> str:
        # Prompts differ, answers do not depend on their order.
        return right_answer(prompt) if (len(prompt) + tuned) % 3 else "no"

    apart = {"created_at", "seconds_per_answer"}
    one, other = (judge(tickets, sometimes).model_dump(exclude=apart) for _ in range(2))
    assert one == other
    other_seed = judge(tickets.model_copy(update={"seed": 8}), sometimes)
    assert other_seed.answers == judge(tickets, sometimes).answers


def test_the_report_names_the_weights_that_were_judged(tickets: JobSpec, judge: Judge) -> None:
    assert judge(tickets, tuned_only).adapter_sha256 == hashlib.sha256(b"weights").hexdigest()
    assert judge(tickets.model_copy(update={"adapter": None}), tuned_only).adapter_sha256 is None


def test_a_label_task_gets_the_classifier_and_it_wins(judge: Judge, tickets: JobSpec, tmp_path: Path) -> None:
    def rows(name: str, numbers: range) -> str:
        path = tmp_path / name
        words = ["parcel", "refund", "login"]
        path.write_text(
            "".join(
                json.dumps({"prompt": f"my {words[at % 3]} has trouble, case {at}", "completion": words[at % 3]}) + "\n"
                for at in numbers
            )
        )
        return str(path)

    spec = tickets.model_copy(
        update={"dataset": rows("a.jsonl", range(60)), "validation": None, "test": rows("b.jsonl", range(100, 130))}
    )
    report = judge(spec, lambda prompt, tuned: "parcel" if tuned else "which one?")
    assert report.models["classic"]["task"].score == 1.0
    assert report.verdict == "do_not_ship"
    assert report.reasons[0].startswith("Do not tune an LLM for this")
    assert report.prompt.chosen_on == "training rows set aside"


def test_without_an_adapter_base_and_prompt_are_measured(tickets: JobSpec, judge: Judge) -> None:
    spec = tickets.model_copy(update={"adapter": None, "models": ["base", "best_prompt"]})
    report = judge(spec, lambda prompt, tuned: right_answer(prompt))
    assert report.verdict == "not_enough_evidence"
    assert report.reasons[0].startswith("No tuned model was judged")
    assert report.models["base"]["task"].score == 1.0


def test_nothing_is_answered_twice_after_a_stop(
    tickets: JobSpec, open_rule: Any, run: Callable[[JobSpec], RunFolder]
) -> None:
    folder = run(tickets)
    first = RuleModel(tuned_only)
    stopped = run_evaluation(tickets, folder, lambda: first.asked >= 50, open_rule(first))
    assert stopped.evaluation is None and not folder.evaluation_file.exists()
    second = RuleModel(tuned_only)
    done = run_evaluation(tickets, folder, never, open_rule(second))
    assert done.evaluation
    third = RuleModel(tuned_only)
    run_evaluation(tickets, run(tickets), never, open_rule(third))
    whole = 3 * 40 + 4 * 12 + 40
    assert (first.asked, first.asked + second.asked, third.asked) == (50, whole, 0)


def test_other_weights_are_asked_afresh(tickets: JobSpec, open_rule: Any, run: Callable[[JobSpec], RunFolder]) -> None:
    run_evaluation(tickets, run(tickets), never, open_rule(RuleModel(tuned_only)))
    (Path(tickets.adapter or "") / "adapter_model.safetensors").write_bytes(b"trained again")
    again = RuleModel(tuned_only)
    run_evaluation(tickets, run(tickets), never, open_rule(again))
    assert again.asked == 40


def test_progress_rises_to_its_end(tickets: JobSpec, open_rule: Any, run: Callable[[JobSpec], RunFolder]) -> None:
    folder = run(tickets)
    run_evaluation(tickets, folder, never, open_rule(RuleModel(tuned_only)))
    events = folder.events()
    steps = [event.step for event in events if event.kind == "step"]
    assert steps == sorted(steps)
    assert steps[-1] == events[-2].total_steps == 3 * 40 + 4 * 12 + 40
    assert events[-2].values["eta_seconds"] == 0
    stages = [event.message for event in events if event.kind == "stage"]
    assert stages[0] == "reading the rows" and stages[-1] == "weighing the evidence"


def test_a_long_judgement_leaves_few_events(run: Callable[[JobSpec], RunFolder], tickets: JobSpec) -> None:
    folder = run(tickets)
    progress = Progress(folder, 5_000)
    for _ in range(5_000):
        progress.computed(1, 0.1)
    steps = [event for event in folder.events() if event.kind == "step"]
    assert len(steps) <= MOST_STEP_EVENTS and steps[-1].step == 5_000
    assert steps[-1].values["eta_seconds"] == 0 and steps[-2].values["seconds_per_answer"] == pytest.approx(0.1)


def test_the_limits_name_what_was_not_measured(tickets: JobSpec, judge: Judge) -> None:
    report = judge(tickets.model_copy(update={"n": 25, "test": None}), tuned_only)
    told = " ".join(report.limits)
    for word in ("Safety", "Forgetting", "Bias", "validation rows"):
        assert word in told
    assert report.rows == 12


def test_lines_that_cannot_be_judged_are_counted(tickets: JobSpec, judge: Judge) -> None:
    path = Path(tickets.test or "")
    unanswered = json.dumps({"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": " "}]})
    path.write_text(path.read_text() + '{"messages": [\n' + unanswered + "\n")
    report = judge(tickets, tuned_only)
    assert report.rows == 40
    assert any(limit.startswith("2 lines could not be read or have no answer") for limit in report.limits)
    assert not any(
        "could not be read" in limit for limit in judge(tickets.model_copy(update={"test": None}), tuned_only).limits
    )


def test_a_sample_is_drawn_by_the_seed(tickets: JobSpec, judge: Judge) -> None:
    spec = tickets.model_copy(update={"n": 25})
    one, same = judge(spec, tuned_only), judge(spec, tuned_only)
    other = judge(spec.model_copy(update={"seed": 8}), tuned_only)
    lines = [answer.line for answer in one.answers]
    assert len(lines) == 25 and lines == [answer.line for answer in same.answers]
    assert lines != [answer.line for answer in other.answers]
    assert any("25 of 40 rows" in limit for limit in one.limits)


def test_empty_answers_score_nothing_and_break_nothing(tickets: JobSpec, judge: Judge) -> None:
    report = judge(tickets, lambda prompt, tuned: "")
    assert report.models["tuned"]["task"].score == 0.0
    assert report.verdict == "do_not_ship"


def test_a_model_that_never_stops_is_cut_and_this_is_said(tickets: JobSpec, judge: Judge) -> None:
    report = judge(tickets, lambda prompt, tuned: "{ and on" * 1000)
    assert all("tuned" in answer.truncated for answer in report.answers)
    assert any("40 of 40 tuned answers were cut" in reason for reason in report.reasons)
    assert max(len(answer.answers["tuned"]) for answer in report.answers) < 200


def test_a_task_of_free_text_is_scored_by_its_words(judge: Judge, tickets: JobSpec, tmp_path: Path) -> None:
    def rows(name: str, numbers: range) -> str:
        path = tmp_path / name
        reply = "Dear colleague, thank you for letter {at}. We shall look into it and come back to you by Friday."
        path.write_text(
            "".join(json.dumps({"prompt": f"letter {at}", "completion": reply.format(at=at)}) + "\n" for at in numbers)
        )
        return str(path)

    spec = tickets.model_copy(
        update={"dataset": rows("a.jsonl", range(60)), "validation": None, "test": rows("b.jsonl", range(100, 130))}
    )

    def house_voice(prompt: str, tuned: bool) -> str:
        number = int(prompt.rsplit("letter ", maxsplit=1)[-1])
        if tuned:
            promise = " by Friday." if number % 2 else "."
            return f"Dear colleague, thank you for letter {number}. We shall look into it and come back to you{promise}"
        return "Thank you for your letter."

    report = judge(spec, house_voice)
    tuned = report.models["tuned"]["task"]
    assert (report.metric, report.verdict) == ("token_f1", "ship")
    assert 0.9 < tuned.low <= tuned.score <= tuned.high < 1
    assert report.paired["tuned_vs_base"].test == "paired bootstrap"
    assert "classic" not in report.models and not report.json_valid


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"test": None, "validation": None}, BadInput, "no rows to judge on"),
        ({"adapter": None, "models": ["tuned"]}, BadInput, "no adapter is named"),
        ({"adapter": "/nowhere/adapter"}, NotFound, "no adapter at"),
        ({"axes": ["safety"]}, BadInput, "axis `task` is not asked for"),
        ({"general_set": "arc.jsonl"}, BadInput, "axis `knowledge` is not asked for"),
        ({"general_set": "/nowhere/arc.jsonl", "axes": ["task", "knowledge"]}, BadInput, "no file at"),
        ({"margins": {"kindness": 0.1}}, BadInput, "there is no axis `kindness`"),
        ({"dataset": None, "models": ["classic"]}, BadInput, "none of the asked models"),
    ],
)
def test_what_cannot_be_judged_is_refused_at_once(
    tickets: JobSpec, judge: Judge, change: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        judge(tickets.model_copy(update=change), tuned_only)


def test_an_adapter_of_another_base_is_refused(tickets: JobSpec, judge: Judge) -> None:
    lineage = Path(tickets.adapter or "").parent / "lineage.json"
    lineage.write_text(json.dumps({"base_model": "other/base"}))
    with pytest.raises(BadInput, match="trained on other/base"):
        judge(tickets, tuned_only)


def test_a_lineage_beside_the_weights_is_read_first(tickets: JobSpec, judge: Judge) -> None:
    folder = Path(tickets.adapter or "")
    (folder / "lineage.json").write_text(json.dumps({"base_model": tickets.base_model}))
    (folder.parent / "lineage.json").write_text(json.dumps({"base_model": "other/base"}))
    assert judge(tickets, tuned_only).verdict == "ship"


def test_an_adapter_without_weights_is_refused(tickets: JobSpec, judge: Judge) -> None:
    (Path(tickets.adapter or "") / "adapter_model.safetensors").unlink()
    with pytest.raises(NotFound, match=r"holds no adapter_model\.safetensors"):
        judge(tickets, tuned_only)


def test_rows_without_answers_are_refused(tickets: JobSpec, judge: Judge, tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps({"messages": [{"role": "user", "content": "MAT-3"}]}) + "\n")
    with pytest.raises(BadInput, match="no row with an answer"):
        judge(tickets.model_copy(update={"test": str(path)}), tuned_only)
