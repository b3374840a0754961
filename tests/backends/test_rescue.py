"""Rescue: which models die when, a golden set that is paid for once, and a tune of our own in their place."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import httpx2
import pytest

pytest.importorskip("openai", reason="the extra `managed` is not installed")

from backends.rescue.golden import REPLIES, ROWS, all_golden, find_golden, golden_dir, read_golden, require_golden
from backends.rescue.host import open_host
from backends.rescue.lives import Life, family, life_of, retirements
from backends.rescue.parity_job import launch_parity, parity_job
from backends.rescue.prompts import chosen, read_prompts
from backends.rescue.record import record
from backends.rescue.retune import retune
from backends.rescue.tuned_models import days_in_words, kept_lists, kept_model, list_tuned
from core.errors import BadInput, EngineError, NotFound, ProblemsFound, Refused
from core.jobspec import JobSpec
from core.store import open_store
from cost_models.prices import PriceBook
from dataset.read import read
from tests.backends.rescue_host import GONE, KEY, MINI, OLD, UNKNOWN, FakeHost
from tests.training.conftest import colour_rows, write_rows

TODAY = date(2026, 11, 25)
BOOK = PriceBook.load(today=TODAY)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """Ten prompts, one of them twice, with answers that must not be sent."""
    path = tmp_path / "prompts.csv"
    lines = [f"where is parcel {n},secret answer" for n in range(10)] + ["where is parcel 3,secret answer"]
    path.write_text("text,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_days_left_come_from_the_host_else_from_dated_facts_and_are_else_unknown() -> None:
    found = life_of("openai", "gpt-4.1-mini-2025-04-14", BOOK)
    assert found.days_left(TODAY) == 50 and "checked 2026-11-23" in found.source
    told = life_of("openai", "gpt-4.1-mini-2025-04-14", BOOK, date(2026, 12, 1))
    assert told.days_left(TODAY) == 6 and "host" in told.source
    assert life_of("azure", "gpt-4o-2024-08-06", BOOK).retires == date(2027, 4, 14)
    assert life_of("openai", "gpt-4-0613", BOOK).retires == date(2026, 10, 23)
    assert life_of("openai", "a-model-of-next-year", BOOK) == Life()
    assert life_of("nebius", "gpt-4o-2024-08-06", BOOK).days_left(TODAY) is None
    assert [days_in_words(days) for days in (50, 1, 0, -33, None)] == [
        "50 days", "1 day", "shut down", "shut down", "unknown",
    ]  # fmt: skip


def test_no_base_stands_both_in_the_price_book_and_in_our_own_table_of_days() -> None:
    priced = {row.item for row in BOOK.rows("tune.")}
    assert retirements()
    assert not [fact.base for fact in retirements() if f"tune.{fact.host}.{fact.base}.training" in priced]
    assert {family(fact.base) for fact in retirements()} == {fact.base for fact in retirements()}


def test_tuned_models_are_listed_with_their_jobs_the_first_to_go_on_top_and_kept_for_the_page() -> None:
    found = list_tuned(FakeHost().host(), BOOK)
    assert [model.id for model in found.models] == [OLD, MINI, GONE, UNKNOWN]
    old, mini, gone, unknown = found.models
    assert (mini.base, mini.job, mini.trained_tokens) == ("gpt-4.1-mini-2025-04-14", "ftjob-3", 1700)
    assert mini.created_at and mini.created_at.year == 2025
    assert old.job is None and old.life.retires == date(2026, 10, 23)
    assert not gone.listed and gone.life.retires == date(2027, 1, 14), "found by its job, on the second page"
    assert unknown.life.days_left(TODAY) is None
    assert kept_lists() == [found] and kept_model(MINI) == mini and kept_model("ft:none:a::b") is None


def test_a_day_that_the_host_tells_comes_first_and_jobs_that_may_not_be_listed_are_said() -> None:
    fake = FakeHost()
    fake.shutdown = {MINI: "2026-12-24"}
    fake.jobs_are_closed = True
    found = list_tuned(fake.host(), BOOK)
    assert found.models[1].life.retires == date(2026, 12, 24)
    assert len(found.notes) == 1 and "could not be listed" in found.notes[0]


def test_a_golden_set_holds_the_answers_as_chat_rows_beside_what_they_took(prompts: Path) -> None:
    fake = FakeHost()
    found = record(fake.host(), MINI, prompts, BOOK)
    assert sorted(fake.asked) == [f"where is parcel {n}" for n in range(10)], "each prompt once"
    assert {(body["temperature"], body["model"]) for body in fake.bodies} == {(0, MINI)}
    assert "secret answer" not in json.dumps(fake.bodies)
    rows = read(found.folder / ROWS)
    assert rows.format == "openai_chat" and [row.answer for row in rows.rows][:2] == [
        "WHERE IS PARCEL 0", "WHERE IS PARCEL 1",
    ]  # fmt: skip
    golden = read_golden(found.folder)
    assert golden.complete and (golden.answered, golden.wanted, golden.empty) == (10, 10, 0)
    assert (golden.prompt_tokens, golden.answer_tokens, golden.temperature) == (100, 50, 0.0)
    price_in, price_out = BOOK.usd("tune.openai.gpt-4.1-mini.input"), BOOK.usd("tune.openai.gpt-4.1-mini.output")
    assert golden.usd == pytest.approx((100 * price_in + 50 * price_out) / 1e6)
    assert golden.usd_per_1000_calls == pytest.approx(100 * golden.usd)
    assert len(golden.prices) == 2 and golden.life.days_left(TODAY) == 50
    assert [folder for folder, _ in all_golden()] == [found.folder]


def test_after_a_failure_half_way_nothing_is_asked_twice_and_the_key_is_written_nowhere(
    prompts: Path, home: Path
) -> None:
    fake = FakeHost()
    fake.fails_on = {"where is parcel 5"}
    with pytest.raises(EngineError, match="does not know the key") as failed:
        record(fake.host(), MINI, prompts, BOOK)
    assert "same command again" in failed.value.hint and KEY not in str(failed.value)
    done = len(fake.asked)
    assert 4 <= done < 10 and not read_golden(golden_dir(MINI)).complete
    with (golden_dir(MINI) / REPLIES).open("a") as file:
        file.write('{"line": 3, "asked": [["us')  # a crash in the middle of a line
    fake.fails_on = set()
    found = record(fake.host(), MINI, prompts, BOOK)
    assert found.asked == 10 - done and len(fake.asked) == 10 == len(set(fake.asked))
    assert found.golden.complete and found.golden.answered == 10 and len(read(found.folder / ROWS).rows) == 10
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files and not [path for path in files if KEY.encode() in path.read_bytes()]


def test_one_prompt_that_the_host_will_not_answer_stops_no_other_and_is_not_asked_again(prompts: Path) -> None:
    fake = FakeHost()
    fake.against_the_rules = {"where is parcel 7"}
    found = record(fake.host(), MINI, prompts, BOOK)
    golden = found.golden
    assert golden.complete and (golden.answered, golden.empty, golden.refused) == (10, 1, 1)
    assert golden.usd is not None and golden.usd_per_1000_calls == pytest.approx(golden.usd / 9 * 1000)
    assert len(read(found.folder / ROWS).rows) == 9
    calls = len(fake.bodies)
    assert record(fake.host(), MINI, prompts, BOOK).asked == 0 and len(fake.bodies) == calls


def test_a_host_that_answers_no_prompt_at_all_is_an_error_and_not_ten_refusals(prompts: Path) -> None:
    fake = FakeHost()
    fake.against_the_rules = {f"where is parcel {n}" for n in range(10)}
    with pytest.raises(BadInput):
        record(fake.host(), MINI, prompts, BOOK)
    assert len(fake.bodies) == 4 and read_golden(golden_dir(MINI)).answered == 0


def test_a_price_by_the_hour_is_kept_with_the_set(prompts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    fake = FakeHost()
    opened = open_host("azure", "https://acme.openai.azure.com/v1/", httpx2.MockTransport(fake))
    golden = record(opened, "gpt-4.1-2025-04-14.ft-ab12", prompts, BOOK, n=1).golden
    assert golden.base == "gpt-4.1-2025-04-14" and golden.life.retires == date(2027, 4, 14)
    assert [str(price["item"]).rpartition(".")[2] for price in golden.prices] == ["input", "output", "hosting"]


def test_the_budget_is_kept_whatever_the_answers_turn_out_to_be(prompts: Path) -> None:
    fake = FakeHost()
    most = (len("where is parcel 0") + 8) * BOOK.usd("tune.openai.gpt-4.1-mini.input") / 1e6
    most += 1024 * BOOK.usd("tune.openai.gpt-4.1-mini.output") / 1e6
    fake.answer_tokens = 1024
    found = record(fake.host(), MINI, prompts, BOOK, budget_usd=2.5 * most)
    assert found.over_budget and not found.golden.complete and len(fake.asked) == 2
    assert found.golden.usd is not None and 1.5 * most < found.golden.usd <= 2.5 * most
    assert record(fake.host(), MINI, prompts, BOOK, budget_usd=0.0).asked == 0
    assert record(fake.host(), MINI, prompts, BOOK, budget_usd=1.0).golden.complete


def test_a_budget_needs_a_price_and_uncounted_tokens_are_taken_for_the_most_they_can_be(prompts: Path) -> None:
    fake = FakeHost()
    with pytest.raises(Refused, match="unknown"):
        record(fake.host(), UNKNOWN, prompts, BOOK, budget_usd=5.0)
    assert not fake.asked
    unpriced = record(fake.host(), UNKNOWN, prompts, BOOK, n=2).golden
    assert unpriced.usd is None and unpriced.usd_per_1000_calls is None
    fake.counts_tokens = False
    found = record(fake.host(), MINI, prompts, BOOK, budget_usd=0.01)
    assert found.golden.usd is None and found.over_budget and found.asked <= 3


def test_a_host_that_refuses_a_setting_is_asked_without_it_and_that_is_said(prompts: Path) -> None:
    fake = FakeHost()
    fake.refuses = {"temperature", "max_tokens"}
    golden = record(fake.host(), MINI, prompts, BOOK, n=5).golden
    assert golden.temperature is None and len(fake.asked) == 5
    assert "max_completion_tokens" in fake.bodies[-1] and "temperature" not in fake.bodies[-1]


def test_more_prompts_later_add_to_the_set_and_another_file_or_length_is_refused(prompts: Path, tmp_path: Path) -> None:
    fake = FakeHost()
    record(fake.host(), MINI, prompts, BOOK, n=3)
    first = set(fake.asked)
    assert record(fake.host(), MINI, prompts, BOOK, n=6).asked == 3 and first < set(fake.asked)
    other = tmp_path / "other.txt"
    other.write_text("another prompt\n", encoding="utf-8")
    with pytest.raises(BadInput, match="not the file"):
        record(fake.host(), MINI, other, BOOK)
    with pytest.raises(BadInput, match="up to 1024"):
        record(fake.host(), MINI, prompts, BOOK, max_tokens=64)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "what is this\nand that\n"),
        ("a.csv", "prompt\nwhat is this\nand that\n"),
        ("a.jsonl", '{"question": "what is this"}\n{"question": "and that"}\n'),
        ("b.jsonl", '{"messages": [{"role": "user", "content": "what is this"}]}\n'
                    '{"messages": [{"role": "user", "content": "and that"}]}\n'),
    ],
)  # fmt: skip
def test_prompts_need_no_answers(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    rows, _ = read_prompts(path)
    assert [row.user_text for row in chosen(rows, None)] == ["what is this", "and that"]


def test_a_file_of_many_columns_needs_the_input_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,body,when\n1,what is this,now\n2,and that,then\n", encoding="utf-8")
    with pytest.raises(BadInput, match="holds no prompt"):
        read_prompts(path)
    assert [row.user_text for row in read_prompts(path, ["body"])[0]] == ["what is this", "and that"]


def test_a_golden_set_is_found_by_its_model_its_folder_or_a_file_in_it(prompts: Path) -> None:
    folder = record(FakeHost().host(), MINI, prompts, BOOK, n=2).folder
    for given in (MINI, str(folder), str(folder / ROWS)):
        assert find_golden(given) == folder
    assert find_golden(str(prompts)) is None
    with pytest.raises(NotFound, match="no golden set"):
        require_golden("ft:other:acme::b")


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    return Path(write_rows(tmp_path / "colours.jsonl", colour_rows()))


def test_a_retune_splits_the_rows_and_runs_baseline_training_and_judgement(colours: Path) -> None:
    store = open_store()
    spec = JobSpec(engine="fake", fake={"seconds": 0.01}, epochs=2)
    found = retune(store, str(colours), spec)
    assert [job.kind for job in found.jobs] == ["evaluate", "train", "evaluate"] and not found.from_golden
    parts = [{row.user_text for row in read(Path(str(path))).rows}
             for path in (found.train.spec.dataset, found.train.spec.validation, found.train.spec.test)]  # fmt: skip
    assert all(parts) and not parts[0] & parts[1] and not parts[0] & parts[2] and found.train.spec.epochs == 2
    assert found.train.plan_id == found.plan.id and found.train.id in found.plan.jobs


def test_a_golden_set_is_trained_on_where_the_file_is_gone_and_remembers_who_takes_its_place(colours: Path) -> None:
    store = open_store()
    folder = record(FakeHost().host(), MINI, colours, BOOK).folder
    spec = JobSpec(engine="fake", fake={"seconds": 0.01})
    own = retune(store, MINI, spec)
    assert own.from_golden and own.plan.name.startswith("Rescue of ft:gpt-4.1-mini")
    answers = {row.answer for row in read(Path(str(own.train.spec.dataset))).rows}
    assert answers and all(answer == answer.upper() for answer in answers), "the old model's answers are learned"
    linked = retune(store, str(colours), spec, golden=MINI)
    assert read_golden(folder).tunes == [own.train.id, linked.train.id]


def test_a_retune_that_cannot_start_leaves_no_plan_behind(colours: Path) -> None:
    store = open_store()
    with pytest.raises(ProblemsFound):
        retune(store, str(colours), JobSpec(engine="fake", fake={"outcome": "none"}))
    assert store.plans() == []
    with pytest.raises(BadInput, match="no golden set and no file"):
        retune(store, "ft:none:a::b", JobSpec(engine="fake"))


def test_parity_asks_the_new_model_once_and_only_a_training_that_has_succeeded(colours: Path) -> None:
    store = open_store()
    folder = record(FakeHost().host(), MINI, colours, BOOK, n=12).folder
    made = retune(store, str(colours), JobSpec(engine="fake", fake={"seconds": 30.0}))
    with pytest.raises(Refused, match=r"not succeeded: it is (queued|running)"):
        launch_parity(store, made.train.id, folder)
    with pytest.raises(BadInput, match="no training"):
        launch_parity(store, made.jobs[0].id, folder)
    assert parity_job(store, made.train.id, read_golden(folder).rows_sha256) is None
