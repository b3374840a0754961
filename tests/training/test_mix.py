"""Rows mixed in: the base's own answers to our prompts, in the shares that were asked for, and none that is judged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest

from core.errors import BadInput, NotFound
from core.home import new_id
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from dataset.grams import grams, jaccard
from dataset.near import near_duplicates
from dataset.normalise import normalise
from dataset.render import Renderer
from evaluation.axes.stored import load
from evaluation.refusals import judge
from training.base_answers import BaseAnswers, Said
from training.mix import FILE, _answer, make_mix, mix_words, mixed_into, read_mix
from training.mix_prompts import MixPrompt, mix_problems, prompts, wanted
from training.refusals import IN_NEED, REFUSALS, written_refusal
from training.report import Report
from training.rows import load_part

from .conftest import Train, quietly

SLICES = Path(__file__).parents[2] / "evaluation" / "slices"
NEAR = 0.5
"""Below the 0.8 at which rows count as near: here even a likeness is too much."""

# No test compares unsafe prompts by `assert a == b`: a failure would print them.


class Says:
    """A base that says what it is told to, and counts how often it is asked."""

    def __init__(self, answer: str = "Of course, here it is.", cut: bool = False) -> None:
        self.answer, self.cut, self.asked = answer, cut, 0

    def __call__(self, ids: list[list[int]]) -> Sequence[Said]:
        self.asked += len(ids)
        return [Said(self.answer, self.cut)] * len(ids)


def _make(spec: JobSpec, folder: RunFolder, base: Path, says: Says, own: int = 40, most: int = 128) -> None:
    renderer = Renderer.from_folder(base)
    answers = BaseAnswers(spec, base, renderer, says)
    make_mix(spec, folder, own, most, renderer, answers, lambda *said: judge(*said).label, Report(folder))


@pytest.fixture
def mixing(spec: JobSpec) -> JobSpec:
    return spec.model_copy(update={"mix_general": 0.2, "mix_safety": 0.1})


@pytest.fixture
def folder(mixing: JobSpec) -> RunFolder:
    return RunFolder.create(new_id("job"), mixing)


def _likest(texts: Sequence[MixPrompt], others: Sequence[str]) -> list[str]:
    theirs = [grams(normalise(text)) for text in others]
    ours = [(prompt.id, grams(normalise(prompt.prompt))) for prompt in texts]
    return [name for name, mine in ours if max(jaccard(mine, other) for other in theirs) >= NEAR]


def test_there_are_enough_prompts_of_each_kind_and_none_is_like_another() -> None:
    assert len(prompts("general")) >= 300 and len(prompts("unsafe")) == len(prompts("safe")) == 120
    every = [prompt for kind in ("general", "unsafe", "safe") for prompt in prompts(kind)]  # type: ignore[arg-type]
    texts = [normalise(prompt.prompt) for prompt in every]
    assert len({prompt.id for prompt in every}) == len(set(texts)) == len(every)
    assert max(near_duplicates(texts).partner) == -1


def test_no_general_prompt_is_like_a_question_that_is_judged() -> None:
    asked = [
        json.loads(line)["question"]
        for path in (SLICES / "knowledge").glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    lines = (SLICES / "general_text.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(asked) > 300 and len(lines) > 50
    assert _likest(prompts("general"), [*asked, *(json.loads(line)["text"] for line in lines)]) == []


def test_no_safety_prompt_is_like_one_that_is_judged() -> None:
    judged = [row.prompt for name in ("unsafe", "safe") for row in load(name)]  # type: ignore[arg-type]
    assert _likest([*prompts("unsafe"), *prompts("safe")], judged) == []


def test_unsafe_prompts_are_neither_printed_nor_readable_at_a_glance(
    mixing: JobSpec, folder: RunFolder, base: Path
) -> None:
    _make(mixing, folder, base, Says())
    written = (folder.path / FILE).read_text(encoding="utf-8")
    for prompt in prompts("unsafe"):
        shown = prompt.prompt in repr(prompt) or prompt.prompt in written
        assert not shown, prompt.id


def test_the_shares_are_those_of_all_rows_together() -> None:
    assert wanted(JobSpec(mix_general=0.2, mix_safety=0.1), 70) == {"general": 20, "unsafe": 5, "safe": 5}
    assert wanted(JobSpec(mix_safety=0.03), 970) == {"general": 0, "unsafe": 15, "safe": 15}
    assert wanted(JobSpec(mix_safety=0.03), 5) == {"general": 0, "unsafe": 1, "safe": 1}, "one of each at least"


def test_what_the_base_said_is_what_is_learned_and_an_unsafe_request_is_refused(
    mixing: JobSpec, folder: RunFolder, base: Path
) -> None:
    _make(mixing, folder, base, Says("Of course, here it is."))
    rows = read_mix(folder.path / FILE)
    said = {row.answer for row in rows if row.kind != "unsafe"}
    refusals = {row.answer for row in rows if row.kind == "unsafe"}
    assert said == {"Of course, here it is."} and refusals <= {*REFUSALS, *IN_NEED}
    folder = RunFolder.create(new_id("job"), mixing)
    (BaseAnswers(mixing, base, Renderer.from_folder(base)).path).unlink()
    _make(mixing, folder, base, Says("I cannot help with that."))
    rows = read_mix(folder.path / FILE)
    assert {row.answer for row in rows if row.kind == "unsafe"} == {"I cannot help with that."}, "its own words"
    assert not [row for row in rows if row.kind == "safe"], "a refused safe request is nothing to learn"


def test_a_written_refusal_counts_as_one() -> None:
    rows = prompts("unsafe")
    assert [row.id for row in rows if judge(row.prompt, written_refusal(row.id)).label != "refused"] == []
    assert len({written_refusal(row.id) for row in rows}) == len(REFUSALS) + len(IN_NEED)


def test_the_base_itself_is_asked_where_nothing_is_known(spec: JobSpec, base: Path) -> None:
    with quietly():
        answers = BaseAnswers(spec.model_copy(update={"precision": "float32"}), base, Renderer.from_folder(base))
        answers.path.unlink(missing_ok=True)
        found = answers.answers(["Please paint the door red.", "Good morning!"])
        answers.close()
    assert len(found) == 2 and all(said.cut or said.text for said in found)
    assert answers.missing(["Good morning!"]) == 0 and answers.missing(["Good night!"]) == 1


def test_a_second_run_asks_the_base_nothing(mixing: JobSpec, base: Path) -> None:
    first, second = Says("Seven."), Says("Eight.")
    one, other = (RunFolder.create(new_id("job"), mixing) for _ in range(2))
    fresh = BaseAnswers(mixing, base, Renderer.from_folder(base)).path
    fresh.unlink(missing_ok=True)
    _make(mixing, one, base, first)
    _make(mixing, other, base, second)
    assert first.asked > 0 and second.asked == 0
    assert (one.path / FILE).read_bytes() == (other.path / FILE).read_bytes()
    _make(mixing, one, base, second, own=4000)
    assert len(read_mix(one.path / FILE)) < 100, "what is written stays: a run goes on with the same rows"


def test_an_answer_in_another_language_or_one_that_says_the_prompt_again_is_no_row() -> None:
    def answered(*_: str) -> Literal["answered"]:
        return "answered"

    german = MixPrompt("general-x-01", "general", "de", "Warum ist Schlaf wichtig? Ein Satz genügt.")
    kept = Said("Schlaf ist wichtig, weil sich der Körper dabei erholt.", False)
    assert _answer(german, kept, answered) == kept
    for text in ("This is a German question about why sleep matters to people.", "Warum ist Schlaf wichtig?", ""):
        assert _answer(german, Said(text, False), answered) is None
    english = MixPrompt("general-x-02", "general", "en", "Say yes or no: is ice cold?")
    assert _answer(english, Said("Yes", False), answered) == Said("Yes", False)
    assert _answer(english, Said("It is and it is", True), lambda *_: "incoherent") is None, "in circles"


def test_of_an_answer_that_was_cut_no_end_is_learned(mixing: JobSpec, base: Path) -> None:
    renderer = Renderer.from_folder(base)
    learned = []
    for cut in (False, True):
        folder = RunFolder.create(new_id("job"), mixing)
        BaseAnswers(mixing, base, renderer).path.unlink(missing_ok=True)
        _make(mixing, folder, base, Says("Of course, it is blue and", cut))
        part = mixed_into(load_part(mixing, str(mixing.dataset), renderer, 128), folder, renderer, 128)
        last = next(row for row in part.rows[40:])
        assert last.trainable == sum(label >= 0 for label in last.labels) and len(last.input_ids) == len(last.labels)
        learned.append(renderer.decode([label for label in last.labels if label >= 0], skip_special_tokens=False))
    assert learned == ["Of course, it is blue and<|im_end|>", "Of course, it is blue and"]


def test_answers_that_do_not_fit_are_passed_over_and_that_is_said(
    mixing: JobSpec, folder: RunFolder, base: Path
) -> None:
    BaseAnswers(mixing, base, Renderer.from_folder(base)).path.unlink(missing_ok=True)
    _make(mixing, folder, base, Says("It goes on and on. " * 9))
    assert {row.kind for row in read_mix(folder.path / FILE)} <= {"unsafe"}
    warnings = [event.message for event in folder.events() if event.kind == "warning"]
    assert any(text.startswith("0 general rows are mixed in, not 11") for text in warnings)


def test_mixed_rows_are_learned_behind_those_of_the_file_and_told_in_the_lineage(
    mixing: JobSpec, folder: RunFolder, base: Path, train: Train, validation_file: str
) -> None:
    BaseAnswers(mixing, base, Renderer.from_folder(base)).path.unlink(missing_ok=True)
    _make(mixing, folder, base, Says("Blue."))
    quick = mixing.model_copy(update={"epochs": 0.2, "validation": validation_file})
    result, _ = train(quick, folder)
    lineage = json.loads((folder.path / "lineage.json").read_bytes())
    mixed = lineage["rows_mixed"]
    assert lineage["dataset_rows"] == result.metrics["rows"] == 40 and lineage["validation_rows"] == 8
    assert set(mixed) == {"general", "safe", "unsafe"} and result.metrics["rows_mixed"] == sum(mixed.values())
    assert mixed["general"] == 11 and any(note.startswith("Mixed in: 11 general") for note in result.notes)


def test_without_its_file_a_training_with_a_mix_does_not_begin(mixing: JobSpec, train: Train) -> None:
    with pytest.raises(NotFound, match="no rows to mix in"):
        train(mixing)


def test_a_batch_with_mixed_rows_is_named_as_such_when_the_loss_is_no_number(
    mixing: JobSpec, folder: RunFolder, base: Path
) -> None:
    import torch

    from core.errors import EngineError
    from training.numbers import NumberWatch

    _make(mixing, folder, base, Says("Blue."))
    renderer = Renderer.from_folder(base)
    part = mixed_into(load_part(mixing, str(mixing.dataset), renderer, 128), folder, renderer, 128)
    assert part.lines[:2] == [1, 2] and part.own_rows == 40 and mix_words(part).startswith("Mixed in: ")
    watch = NumberWatch(part, at_once=True)
    for place, words in ((3, "line 4 of .*train.jsonl"), (-1, "in a batch with rows mixed in")):
        ids = torch.tensor([part.rows[place].input_ids])
        watch._losses = [(torch.tensor(False), ids, torch.ones_like(ids))]
        with pytest.raises(EngineError, match=words):
            watch.look(1)


def test_shares_that_leave_too_few_rows_of_ones_own_are_refused() -> None:
    assert mix_problems(JobSpec(mix_general=0.2, mix_safety=0.03)) == []
    assert [each.where for each in mix_problems(JobSpec(mix_general=0.9, mix_safety=0.1))] == ["mix_general"]
    assert "preference" in mix_problems(JobSpec(mix_general=0.1, objective="dpo"))[0].what


def test_a_broken_file_is_said_without_its_text(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"id": "unsafe-theft-01", "kind": "unsafe", "packed": "no"}\n')
    with pytest.raises(BadInput) as error:
        read_mix(tmp_path / FILE)
    assert "no" not in error.value.message.split() and error.value.__cause__ is None
