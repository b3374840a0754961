from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput, NotFound
from dataset.render import MASKED, Renderer
from dataset.row import Message, Row
from dataset.template import ChatTemplate

from .conftest import save_tokenizer

Pair = Callable[..., Row]
TALK = Row(
    (
        Message("system", "Be brief."),
        Message("user", "Where is my parcel?"),
        Message("assistant", "On its way."),
        Message("user", "And the lamp? 🎉"),
        Message("assistant", "Café\n\nrefund é"),
    ),
    1,
)


def learned_text(renderer: Renderer, row: Row, max_tokens: int | None = None) -> str:
    encoded = renderer.encode(row, max_tokens)
    return renderer.decode([label for label in encoded.labels if label != MASKED], skip_special_tokens=False)


def test_all_answers_and_their_end_tokens_are_learned_and_nothing_else(renderer: Renderer) -> None:
    assert learned_text(renderer, TALK) == "On its way.<|im_end|>Café\n\nrefund é<|im_end|>"


def test_a_turn_of_weight_0_is_shown_and_not_learned(renderer: Renderer) -> None:
    first, second, _, *rest = TALK.messages
    row = Row((first, second, Message("assistant", "On its way.", learned=False), *rest), 1)
    assert learned_text(renderer, row) == "Café\n\nrefund é<|im_end|>"
    assert renderer.encode(row).input_ids == renderer.encode(TALK).input_ids


def test_the_prompt_in_use_is_the_beginning_of_the_row_in_training(renderer: Renderer, pair: Pair) -> None:
    row = pair("where is it", "delivery")
    prompt = renderer.encode_prompt(row.asked)
    encoded = renderer.encode(row)
    assert encoded.input_ids[: len(prompt)] == prompt
    assert encoded.labels[: len(prompt)] == [MASKED] * len(prompt)
    assert encoded.labels[len(prompt)] != MASKED


def test_a_long_row_keeps_its_beginning_and_says_what_is_left_to_learn(renderer: Renderer, pair: Pair) -> None:
    row = pair("word " * 50, "answer")
    whole, cut = renderer.encode(row), renderer.encode(row, 20)
    assert cut.input_ids == whole.input_ids[:20]
    assert (cut.truncated, cut.trainable, cut.tokens) == (True, 0, whole.tokens)
    assert (whole.truncated, whole.trainable) == (False, sum(label != MASKED for label in whole.labels))


def test_the_preview_is_the_text_that_the_model_sees(renderer: Renderer) -> None:
    pieces = renderer.preview(TALK)
    assert "".join(text for text, _ in pieces) == renderer.template.render(TALK.messages)
    assert [text for text, learned in pieces if learned] == ["On its way.<|im_end|>", "Café\n\nrefund é<|im_end|>"]


def test_the_preview_stops_where_the_row_is_cut(renderer: Renderer) -> None:
    assert "".join(text for text, _ in renderer.preview(TALK, 12)) in renderer.template.render(TALK.messages)
    assert not any(learned for _, learned in renderer.preview(TALK, 12))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30)), min_size=1, max_size=3))
def test_whatever_is_said_the_answers_are_learned(renderer: Renderer, turns: list[tuple[str, str]]) -> None:
    messages = [turn for said, answer in turns for turn in (Message("user", said), Message("assistant", answer))]
    row = Row(tuple(messages), 1)
    wanted = "".join(f"{answer}<|im_end|>" for _, answer in turns if answer.strip())
    got = learned_text(renderer, row)
    # a line break at the beginning of an answer may melt into the one of the prompt, and is then the prompt's
    assert got.replace("\n", "") == wanted.replace("\n", "")
    pieces = renderer.preview(row)
    assert "".join(text for text, _ in pieces) == renderer.template.render(row.messages)


def test_many_rows_encode_as_one_by_one(renderer: Renderer, pair: Pair) -> None:
    rows = [pair(f"question {n} " * (n % 7), f"answer {n}", n) for n in range(600)]
    together = [encoded for _, encoded in renderer.encode_all(rows, 40)]
    assert together == [renderer.encode(row, 40) for row in rows]


def template(source: str) -> ChatTemplate:
    return ChatTemplate(source, {"bos_token": "<s>", "eos_token": "</s>"}, now=datetime(2026, 5, 4))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ bos_token }}{% for m in messages %}\n  {{- m['content'] + eos_token }}{% endfor %}", "<s>a</s>b</s>"),
        ("{% for m in messages %}\n    {% if loop.first %}\n{{ m.content }}\n    {% endif %}\n{% endfor %}", "a\n"),
        ("{{ messages[0] | tojson }}", '{"role": "user", "content": "a"}'),
        ("{{ strftime_now('%d %b %Y') }}", "04 May 2026"),
        ("{% for m in messages %}{% if m.role == 'user' %}{% continue %}{% endif %}{{ m.content }}{% endfor %}", "b"),
        ("{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}", "ab"),
        ("{% if tools %}t{% endif %}{% if tools is none %}n{% endif %}", "n"),
    ],
)
def test_templates_render_with_the_settings_that_the_hub_expects(source: str, expected: str) -> None:
    assert template(source).render([Message("user", "a"), Message("assistant", "b")]) == expected


def test_a_template_that_prints_the_date_gives_the_same_prompt_on_any_day(tmp_path: Path, pair: Pair) -> None:
    source = "Today is {{ strftime_now('%d %b %Y') }}. {% for m in messages %}{{ m.content }}{% endfor %}"
    dated = save_tokenizer(tmp_path / "dated", source)
    today = datetime.now()
    trained, served = Renderer.from_folder(dated), Renderer.from_folder(dated, now=today)
    row = pair("hello", "bye")
    assert "26 Jul 2024" in trained.decode(trained.encode_prompt(row.asked))
    assert trained.encode_prompt(row.asked) != served.encode_prompt(row.asked), "the date is in the prompt at all"
    assert trained.encode(row).input_ids == Renderer.from_folder(dated).encode(row).input_ids
    assert today.strftime("%Y") not in trained.decode(trained.encode(row).input_ids)


@pytest.mark.parametrize(
    "source",
    [
        "{{ raise_exception('roles must alternate') }}",
        "{{ messages.__class__.__mro__ }}",
        "{{ messages.append(1) }}",
        "{{ nothing.here }}",
        "{% for i in range(99999999) %}{% endfor %}",
    ],
)
def test_a_template_that_refuses_or_misbehaves_is_an_error_of_ours(source: str) -> None:
    with pytest.raises(BadInput, match="refused by the chat template"):
        template(source).render([Message("user", "a")])


def test_a_broken_template_is_an_error_of_ours() -> None:
    with pytest.raises(BadInput, match="broken"):
        template("{% for %}")


def test_a_template_that_rewrites_earlier_turns_is_refused(renderer: Renderer) -> None:
    forgetful = (
        "{% for m in messages %}{% if loop.last or m.role == 'user' %}{{ m.role + m.content }}{% endif %}{% endfor %}"
    )
    other = Renderer(renderer._tokenizer, template(forgetful), {}, "forgetful")
    with pytest.raises(BadInput, match="cannot be masked") as caught:
        other.encode(Row(TALK.messages, 17))
    assert caught.value.line == 17


def test_a_folder_without_tokenizer_or_template_says_what_is_missing(tmp_path: Path, tokenizer_folder: Path) -> None:
    with pytest.raises(NotFound, match=r"tokenizer\.json"):
        Renderer.from_folder(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((tokenizer_folder / "tokenizer.json").read_bytes())
    with pytest.raises(BadInput, match="no chat template"):
        Renderer.from_folder(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "chat_template.jinja").write_text("x")
    with pytest.raises(BadInput, match="cannot be read"):
        Renderer.from_folder(tmp_path)


def test_end_and_padding_ids_come_from_the_config(renderer: Renderer) -> None:
    assert renderer.decode([renderer.eos_token_id or 0], skip_special_tokens=False) == "<|im_end|>"
    assert renderer.decode([renderer.pad_token_id], skip_special_tokens=False) == "<|endoftext|>"
    assert renderer.count("where is it") == renderer.count("where") + renderer.count(" is it")


@pytest.mark.slow
def test_the_true_model_s_own_tokenizer_gives_the_same_ids(true_base: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(true_base)
    own = Renderer.from_folder(true_base)
    turns = [{"role": message.role, "content": message.content} for message in TALK.messages]
    ids = tokenizer.apply_chat_template(turns, return_dict=True)["input_ids"]
    assert own.encode(TALK).input_ids == list(ids)
    prompt = tokenizer.apply_chat_template(turns[:2], add_generation_prompt=True, return_dict=True)["input_ids"]
    assert own.encode_prompt(TALK.messages[:2]) == list(prompt)
