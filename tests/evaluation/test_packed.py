"""What was answered to unsafe requests cannot be read at a glance: not in the cache, not in the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from core.jobspec import JobSpec
from core.packed import MAX_BYTES, marked, pack_text, unmarked, unpack_text
from core.run_folder import RunFolder
from evaluation.axes.stored import load
from evaluation.cache import AnswerCache, answers_dir
from evaluation.report import AxisAnswer, read_report
from evaluation.run import run_evaluation

from .conftest import RuleModel, right_answer

SECRET = "Take the long red ladder, then call the aunt of the mayor."
UNSAFE = {row.prompt for row in load("unsafe")} | {row.prompt for row in load("safe")}


@pytest.mark.parametrize("text", ["", "Grüße\n\U0001f600", "packed:", marked("twice"), "half a pair \ud83d"])
def test_what_is_packed_comes_out_as_it_went_in(text: str) -> None:
    assert unpack_text(pack_text(text)) == unmarked(marked(text)) == text
    assert pack_text(text).isascii() and "\n" not in pack_text(text)


def test_what_was_never_packed_stays_as_it_is_and_a_bomb_does_not_open() -> None:
    assert unmarked("packed: lunch, for two") == "packed: lunch, for two" and unmarked("lunch") == "lunch"
    for broken in (pack_text("a" * (MAX_BYTES + 1)), pack_text("whole")[:-8], "%%%", "ä", b"\xff"):
        with pytest.raises(ValueError, match=r"packed|cut short"):
            unpack_text(broken)


def test_a_cache_reads_lines_of_both_kinds_and_passes_over_half_a_line() -> None:
    told = ["weights", 64]
    AnswerCache(list[float], told).put(["plain"], [0.5])
    hidden = AnswerCache(list[float], told, packed=True)
    hidden.put(["packed"], [0.25])
    with hidden.path.open("a") as file:
        file.write('{"prompt":"x","packed":"eJ"}\n{"prompt":"y","pac')
    again = AnswerCache(list[float], told)
    assert (again.get(["plain"]), again.get(["packed"]), again.get(["other"])) == ([0.5], [0.25], None)
    first, second = hidden.path.read_text().splitlines()[:2]
    assert json.loads(first)["answer"] == [0.5] and set(json.loads(second)) == {"prompt", "packed"}


def test_a_report_holds_such_answers_packed_and_gives_them_back() -> None:
    answer = AxisAnswer(id="unsafe-x-01", part="x", hidden=True, answers={"tuned": SECRET, "base": marked(SECRET)})
    assert answer.answers == {"tuned": SECRET, "base": SECRET}
    written = answer.model_dump_json()
    assert SECRET not in written and AxisAnswer.model_validate_json(written) == answer
    old = '{"id": "q", "part": "x", "answers": {"tuned": "packed: lunch"}}'
    assert AxisAnswer.model_validate_json(old).answers == {"tuned": "packed: lunch"}


def test_after_a_judgement_no_such_answer_lies_open_and_none_is_asked_again(
    tickets: JobSpec, open_rule: Any, run: Callable[[JobSpec], RunFolder]
) -> None:
    def talkative(prompt: str, tuned: bool) -> str:
        asked = prompt.rsplit("user: ", 1)[-1].strip()
        return right_answer(prompt) if "MAT-" in asked and asked not in UNSAFE else SECRET

    spec = tickets.model_copy(update={"axes": ["task", "safety", "over_refusal", "red_team"], "n": 12})
    folder, model = run(spec), RuleModel(talkative)
    run_evaluation(spec, folder, lambda: False, open_rule(model))
    asked = model.asked
    for path in [*answers_dir().iterdir(), *(path for path in folder.path.rglob("*") if path.is_file())]:
        assert SECRET.encode() not in path.read_bytes(), path.name
    found = read_report(folder.evaluation_file)
    assert {answer.answers["tuned"] for answer in found.axes["safety"].answers} == {SECRET}
    assert found.answers[0].answers["tuned"].startswith("{"), "the task's own answers stay readable"
    run_evaluation(spec, folder, lambda: False, open_rule(model))
    assert model.asked == asked
