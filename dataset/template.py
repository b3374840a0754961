"""Chat templates: jinja2 in a sandbox, with exactly the settings and names that templates on the hub rely on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from core.errors import BadInput
from dataset.row import Message

_MAX_TEMPLATE_BYTES = 1 << 20
PROMPT_DATE = datetime(2024, 7, 26)
"""What templates that print the date of the day are given: the day on which Llama 3's falls back where it has no clock.

One date for training, judging and serving. With the clock a tuned model would be served with prompts that it was not
trained on, and after midnight no answer would be found in the cache and no judgement could be repeated.
"""


class ChatTemplate:
    """A compiled template and the special tokens that it may use."""

    def __init__(self, source: str, special: Mapping[str, str], *, now: datetime = PROMPT_DATE) -> None:
        from jinja2 import TemplateError

        self.source = source
        self._special = dict(special)
        try:
            self._template = _environment(now).from_string(source)
        except (TemplateError, RecursionError) as error:
            raise BadInput(f"The chat template of the model is broken: {error}.", "Take another base model.") from error

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool = False) -> str:
        """The text that the model sees. Raises `BadInput` where the template refuses these turns."""
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            return str(
                self._template.render(
                    messages=turns,
                    tools=None,
                    documents=None,
                    add_generation_prompt=add_generation_prompt,
                    **self._special,
                )
            )
        except Exception as error:  # a template is somebody else's program: whatever it raises is a refusal
            reason = str(error).strip().rstrip(".")[:200] or type(error).__name__
            raise BadInput(f"is refused by the chat template: {reason}.", "Check the order of the roles.") from error


def read_template(folder: Path, config: Mapping[str, Any]) -> str:
    """The template in chat_template.jinja, else in the tokenizer's config. Raises `BadInput` where there is none."""
    file = folder / "chat_template.jinja"
    if file.is_file() and file.stat().st_size <= _MAX_TEMPLATE_BYTES:
        return file.read_text(encoding="utf-8")
    found: Any = config.get("chat_template")
    if isinstance(found, list):
        by_name = {item.get("name"): item.get("template") for item in found if isinstance(item, dict)}
        found = by_name.get("default") or next(iter(by_name.values()), None)
    if found is None and (folder / "chat_template.json").is_file():
        found = json.loads((folder / "chat_template.json").read_text(encoding="utf-8")).get("chat_template")
    if not isinstance(found, str) or not found:
        raise BadInput(
            "has no chat template.", "Take an instruct or chat model: a plain base model has none.", file=str(folder)
        )
    return found


def special_tokens(config: Mapping[str, Any]) -> dict[str, str]:
    """{bos_token: ..., eos_token: ...} out of a tokenizer's config."""
    found = {}
    for key, value in config.items():
        text = value.get("content") if isinstance(value, Mapping) else value
        if key.endswith("_token") and isinstance(text, str):
            found[key] = text
    return found


def _environment(now: datetime) -> Any:
    import jinja2
    from jinja2 import nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.parser import Parser
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class GenerationTag(Extension):
        """`{% generation %}` marks what the assistant wrote; its body is rendered as it stands."""

        tags = {"generation"}  # noqa: RUF012

        def parse(self, parser: Parser) -> list[nodes.Node]:
            next(parser.stream)
            return list(parser.parse_statements(("name:endgeneration",), drop_needle=True))

    def raise_exception(message: str) -> None:
        raise jinja2.TemplateError(message)

    def strftime_now(form: str) -> str:
        return now.strftime(form)

    def to_json(
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        # The filter of jinja2 escapes HTML; templates want plain JSON.
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, loopcontrols]
    )
    environment.filters["tojson"] = to_json
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = strftime_now
    return environment
