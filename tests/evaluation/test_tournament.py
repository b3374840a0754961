from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput, EngineError, NotFound, Refused
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from evaluation.askers import EndpointAsker
from evaluation.judged_model import Model, Opened
from evaluation.tournament import run_tournament
from evaluation.tournament_report import FILE, TournamentReport, read_tournament

from .chat_host import ChatHost
from .conftest import RuleModel, question, right_answer, write_tickets

Opener = Callable[[RuleModel], Callable[[JobSpec, Path | None], Opened]]
KEY = "planted-key-of-the-test"


def no_stop() -> bool:
    return False


def shots_in(prompt: str) -> int:
    return prompt.count("assistant: ")


def is_nearest(prompt: str) -> bool:
    """The rule's own eye: are all examples about the same matter as the question?"""
    matters = ("locked", "bill", "exam")
    asked = next(word for word in matters if word in question(prompt))
    examples = prompt.rsplit("user: ", 1)[0]
    return shots_in(prompt) > 0 and not any(word in examples for word in matters if word != asked)


def rule(right_with: Callable[[str], bool]) -> Callable[[str, bool], str]:
    return lambda prompt, tuned: right_answer(prompt) if right_with(prompt) else "no idea"


def held_to(rule: Callable[[str, bool], str]) -> Callable[[Model, dict[str, Any]], Model]:
    return lambda model, schema: RuleModel(rule)


def refuse(model: Model, schema: dict[str, Any]) -> Model:
    raise Refused("constrained decoding is not installed.", "Install it.")


@pytest.fixture
def spec(tickets: JobSpec) -> JobSpec:
    return tickets.model_copy(update={"kind": "tournament", "adapter": None})


def played(spec: JobSpec, folder: RunFolder, open_model: Any, constrain: Any = refuse) -> TournamentReport:
    run_tournament(spec, folder, no_stop, open_model, constrain)
    return read_tournament(folder.path / FILE)


def test_the_rung_that_is_right_wins_beyond_noise_and_the_number_of_examples_is_chosen_on_validation(
    spec: JobSpec, run: Callable[[JobSpec], RunFolder], open_rule: Opener
) -> None:
    model = RuleModel(rule(lambda prompt: shots_in(prompt) == 4))
    report = played(spec, run(spec), open_rule(model))
    assert [(one.shots, one.score, one.n) for one in report.tried] == [(2, 0, 12), (4, 1, 12), (8, 0, 12)]
    assert report.best == "few_shot" and report.beats_others and report.chosen_on == "validation rows"
    assert report.sentence.startswith("Few-shot with 4 examples is best: 1.00 (0.91 to 1.00); zero-shot 0.00")
    assert "luck would do this" in report.sentence
    few, zero = report.rung("few_shot"), report.rung("zero_shot")
    assert few is not None and zero is not None and few.score.n == 40 and few.shots == 4
    assert few.prompt_tokens > zero.prompt_tokens > (report.question_tokens or 0) > 0
    assert few.usd_per_1000_calls is None and few.schema_valid is not None and few.schema_valid.score == 1
    assert "not installed" in report.left_out["constrained"]


def test_retrieval_shows_the_nearest_training_rows(
    spec: JobSpec, run: Callable[[JobSpec], RunFolder], open_rule: Opener
) -> None:
    report = played(spec, run(spec), open_rule(RuleModel(rule(is_nearest))))
    assert report.best == "retrieval" and report.beats_others and report.winner.shots == 2


def test_answers_held_to_the_schema_are_a_rung_of_their_own(
    spec: JobSpec, run: Callable[[JobSpec], RunFolder], open_rule: Opener
) -> None:
    seen: list[dict[str, Any]] = []

    def constrain(model: Model, schema: dict[str, Any]) -> Model:
        seen.append(schema)
        return RuleModel(lambda prompt, tuned: right_answer(prompt))

    report = played(spec, run(spec), open_rule(RuleModel(rule(lambda prompt: False))), constrain)
    assert report.best == "constrained" and report.beats_others and not report.left_out
    assert seen[0]["properties"]["queue"]["enum"] == ["exams", "fees", "rooms"]


def test_what_luck_can_do_is_not_called_best(
    spec: JobSpec, run: Callable[[JobSpec], RunFolder], open_rule: Opener
) -> None:
    def nearly(prompt: str) -> bool:
        number = int(question(prompt).split("MAT-")[1].split()[0])
        return number % 2 == 0 or (shots_in(prompt) > 0 and number == 301)

    report = played(spec, run(spec), open_rule(RuleModel(rule(nearly))))
    assert report.best in ("few_shot", "retrieval") and not report.beats_others
    assert "cannot be told from" in report.sentence and "zero-shot (0.50)" in report.sentence
    assert report.sentence.endswith("Zero-shot has the shorter prompt.")


def test_nothing_right_and_free_text_are_said(
    spec: JobSpec, run: Callable[[JobSpec], RunFolder], open_rule: Opener, tmp_path: Path
) -> None:
    nothing = played(spec, run(spec), open_rule(RuleModel(lambda prompt, tuned: "no")))
    assert nothing.sentence.startswith("No rung is right") and not nothing.beats_others
    turns = [{"role": "user", "content": "How are you?"}, {"role": "assistant", "content": "Quite well, thank you."}]
    alone = tmp_path / "alone.jsonl"
    alone.write_text(json.dumps({"messages": turns}) + "\n")
    bare = spec.model_copy(update={"dataset": None, "validation": None, "test": str(alone)})
    report = played(bare, run(bare), open_rule(RuleModel(lambda prompt, tuned: "Quite well, thank you.")))
    assert [rung.name for rung in report.rungs] == ["zero_shot"] and set(report.left_out) == {
        "few_shot",
        "retrieval",
        "constrained",
    }
    assert report.sentence.startswith("Only the bare question was asked: 1.00")


def test_rows_that_stand_in_training_are_not_asked(
    spec: JobSpec, run: Callable[[JobSpec], RunFolder], open_rule: Opener, tmp_path: Path
) -> None:
    mixed = write_tickets(tmp_path / "mixed.jsonl", range(150, 180))
    leaky = spec.model_copy(update={"test": str(mixed)})
    report = played(leaky, run(leaky), open_rule(RuleModel(rule(lambda prompt: True))))
    assert (report.rows, report.leaked) == (20, 10) and {row.line for row in report.answers} == set(range(11, 31))
    same = spec.model_copy(update={"test": spec.dataset})
    with pytest.raises(BadInput, match="stands in training"):
        run_tournament(same, run(same), no_stop, open_rule(RuleModel(rule(lambda prompt: True))), refuse)


def test_a_stopped_tournament_asks_nothing_twice(
    spec: JobSpec, run: Callable[[JobSpec], RunFolder], open_rule: Opener
) -> None:
    model = RuleModel(rule(lambda prompt: shots_in(prompt) == 4))
    folder = run(spec)
    result = run_tournament(spec, folder, lambda: model.asked >= 50, open_rule(model), refuse)
    assert "Stopped" in result.notes[0] and not (folder.path / FILE).exists()
    with pytest.raises(NotFound):
        read_tournament(folder.path / FILE)
    played(spec, folder, open_rule(model))
    asked = model.asked
    assert asked == 3 * 12 + 3 * 40 + 20
    played(spec, run(spec), open_rule(model))
    assert model.asked == asked


# A hosted model


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatHost]:
    monkeypatch.setenv("CHAT_TEST_KEY", KEY)

    def answer(body: dict[str, Any]) -> str:
        prompt = "".join(f"{turn['role']}: {turn['content']}\n" for turn in body["messages"])
        return right_answer(prompt) if shots_in(prompt) >= 2 else "no idea"

    found = ChatHost(answer)
    yield found
    found.close()


def hosted(spec: JobSpec, host: ChatHost) -> JobSpec:
    return spec.model_copy(update={"base_model": f"{host.url}?key=CHAT_TEST_KEY#gpt-4.1-mini"})


def test_a_hosted_model_is_asked_all_rungs_and_one_that_failed_half_way_only_the_rest(
    spec: JobSpec, run: Callable[[JobSpec], RunFolder], host: ChatHost
) -> None:
    wanted = hosted(spec, host)
    folder = run(wanted)
    host.fail = lambda number, body: (401, {}, b"") if number == 70 else None
    with pytest.raises(EngineError, match="401"):
        run_tournament(wanted, folder, no_stop)
    host.fail = lambda number, body: None
    run_tournament(wanted, folder, no_stop)
    report = read_tournament(folder.path / FILE)
    assert len(host.bodies) == 3 * 12 + 4 * 40 + 20 and host.calls <= len(host.bodies) + 1
    assert report.best in ("few_shot", "constrained", "retrieval") and report.device == "127.0.0.1"
    constrained = report.rung("constrained")
    assert constrained is not None and constrained.prompt_tokens > 0
    assert constrained.usd_per_1000_calls is None, "a model of this machine has no price, whatever its name"
    assert sum("response_format" in body for body in host.bodies) == 40
    for path in folder.path.iterdir():
        assert not path.is_file() or KEY.encode() not in path.read_bytes()


def test_a_host_that_wavers_widens_every_comparison_and_second_answers_are_paid_for(
    spec: JobSpec, run: Callable[[JobSpec], RunFolder], host: ChatHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EndpointAsker, "usd_per_1000_calls", lambda self, asked, answered: 1000.0)
    plain, seen = host.rule, set()

    def wavering(body: dict[str, Any]) -> str:
        """A bare question that was asked before is answered rightly: 20 of 40 are asked again."""
        if any(turn["role"] == "assistant" for turn in body["messages"]):
            return plain(body)
        text = body["messages"][-1]["content"]
        before = text in seen
        seen.add(text)
        return right_answer(f"user: {text}") if before else plain(body)

    host.rule = wavering
    wanted = hosted(spec, host)
    folder = run(wanted)
    run_tournament(wanted, folder, no_stop)
    report = read_tournament(folder.path / FILE)
    assert report.noise is not None and (report.noise.n, report.noise.changed) == (20, 20)
    assert all(pair.test.startswith("noise-widened") for pair in report.paired.values())
    assert report.usd_of_asking == len(report.rungs) * 40 + 20


def test_a_host_without_schemas_leaves_that_rung_out(
    spec: JobSpec, run: Callable[[JobSpec], RunFolder], host: ChatHost
) -> None:
    refusal = json.dumps({"error": {"param": "response_format"}}).encode()
    host.fail = lambda number, body: (400, {}, refusal) if "response_format" in body else None
    wanted = hosted(spec, host)
    folder = run(wanted)
    run_tournament(wanted, folder, no_stop)
    report = read_tournament(folder.path / FILE)
    assert "takes no JSON schema" in report.left_out["constrained"] and len(report.rungs) == 3
