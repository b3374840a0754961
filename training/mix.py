"""Rows mixed into a training against forgetting: our prompts with the base's own answers, and refusals that stay.

They are made before the training, once, and stand in `mixed.jsonl` of the run folder: a run that goes on, and each of
several processes, reads the same ones. Sources: replay of a model's own outputs (Huang et al. 2024,
arXiv:2403.01244); about 3 % of safety rows (Bianchi et al. 2023, arXiv:2309.07875).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import BadInput, NotFound
from core.jobspec import JobSpec
from core.packed import pack_text, unpack_text
from core.run_folder import RunFolder, write_atomically
from dataset.normalise import normalise
from dataset.render import Encoded, Renderer
from dataset.row import Message, Row
from training.base_answers import BaseAnswers, Said
from training.mix_prompts import Kind, MixPrompt, in_order, wanted
from training.refusals import written_refusal
from training.report import Report
from training.rows import Part

FILE = "mixed.jsonl"
AT_ONCE = 32
"""Prompts that the base answers side by side, between two looks at how many rows there are."""
ECHO_WORDS = 4
"""Words from which an answer that stands in its prompt is no answer."""
Judge = Callable[[str, str], Literal["refused", "answered", "incoherent"]]
"""(prompt, answer) -> what kind of answer it is."""


class MixedRow(BaseModel):
    """One row, as it is learned."""

    model_config = ConfigDict(extra="forbid")
    id: str
    kind: Kind
    prompt: str = Field(repr=False)
    answer: str = Field(repr=False)
    cut: bool = False
    """Was the base still going on? Then no end is learned behind it."""

    @property
    def row(self) -> Row:
        """For the renderer. It stands in no file of the team's, so on line 0."""
        return Row((Message("user", self.prompt), Message("assistant", self.answer)), line=0)


def make_mix(
    spec: JobSpec,
    folder: RunFolder,
    own_rows: int,
    max_tokens: int,
    renderer: Renderer,
    base: BaseAnswers,
    judge: Judge,
    report: Report,
) -> None:
    """Write the rows that make the shares of the spec beside `own_rows`, unless they are written already.

    Rows longer than `max_tokens` are passed over. Fewer are written where the prompts do not suffice, and that is said.
    """
    if (folder.path / FILE).is_file():
        return
    counts = wanted(spec, own_rows)
    report.stage("Asking the base for the rows to mix in")
    made: list[MixedRow] = []
    try:
        for kind, count in counts.items():
            rows = _rows(in_order(kind, spec.seed), count, max_tokens, renderer, base, judge, report)
            made += rows
            if len(rows) < count:
                report.warning(
                    f"{len(rows)} {kind} rows are mixed in, not {count}: so many of our prompts had a use here."
                )
    finally:
        base.close()
    write_atomically(folder.path / FILE, "".join(f"{_line(row)}\n" for row in made))


def mixed_into(part: Part, folder: RunFolder, renderer: Renderer, max_tokens: int) -> Part:
    """The training rows with those of `mixed.jsonl` behind them. Raises `NotFound` or `BadInput` for that file."""
    rows = read_mix(folder.path / FILE)
    encoded = [found for row in rows if (found := _encoded(row, renderer, max_tokens)) is not None]
    if len(encoded) < len(rows):
        raise BadInput("holds rows that do not fit.", "Launch the job anew.", file=FILE)
    kinds = Counter(row.kind for row in rows)
    return replace(
        part, rows=[*part.rows, *encoded], lines=[*part.lines, *[0] * len(encoded)], mixed=dict(sorted(kinds.items()))
    )


def mix_words(part: Part) -> str:
    """How much is mixed in, in a sentence."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in part.mixed.items())
    share = sum(part.mixed.values()) / len(part.rows)
    return f"Mixed in: {kinds or 'nothing'}; {share:.1%} of {len(part.rows)} rows."


def read_mix(path: Path) -> list[MixedRow]:
    """The rows of a run's file. Raises `NotFound` or `BadInput`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [_parsed(line) for line in lines]
    except FileNotFoundError as error:
        raise NotFound(f"no rows to mix in at {path}.", "Launch the job anew.") from error
    except (ValueError, KeyError, TypeError, ValidationError):
        # Said without its text, which may be that of an unsafe request.
        raise BadInput("cannot be read.", "Launch the job anew.", file=str(path)) from None


def _rows(
    prompts: Sequence[MixPrompt],
    count: int,
    max_tokens: int,
    renderer: Renderer,
    base: BaseAnswers,
    judge: Judge,
    report: Report,
) -> list[MixedRow]:
    """The first `count` rows that come of the prompts."""
    made: list[MixedRow] = []
    at = 0
    while len(made) < count and at < len(prompts):
        some = prompts[at : at + min(AT_ONCE, count - len(made))]
        at += len(some)
        for prompt, said in zip(some, base.answers([each.prompt for each in some]), strict=True):
            answer = _answer(prompt, said, judge)
            if answer is None:
                continue
            row = MixedRow(id=prompt.id, kind=prompt.kind, prompt=prompt.prompt, answer=answer.text, cut=answer.cut)
            if _encoded(row, renderer, max_tokens) is not None:
                made.append(row)
        report.progress(f"Rows to mix in ({some[0].kind})", len(made), count)
    return made


def _encoded(row: MixedRow, renderer: Renderer, max_tokens: int) -> Encoded | None:
    """The row for the trainer; None where it is too long, or the template refuses it."""
    found = next(renderer.encode_all([row.row], max_tokens))[1]
    if isinstance(found, BadInput) or found.truncated or not found.trainable:
        return None
    if not row.cut:
        return found
    # The last token that is learned is the end of the answer, which the base did not write.
    end = max(place for place, label in enumerate(found.labels) if label >= 0)
    return replace(
        found, input_ids=found.input_ids[:end], labels=found.labels[:end], trainable=found.trainable - 1, tokens=end
    )


def _answer(prompt: MixPrompt, said: Said, judge: Judge) -> Said | None:
    """What is learned as the answer to a prompt; None where there is nothing to learn from what the base said."""
    kind = judge(prompt.prompt, said.text) if said.text else "incoherent"
    if prompt.kind == "unsafe":
        return said if kind == "refused" else Said(written_refusal(prompt.id), cut=False)
    if not said.text or (prompt.kind == "safe" and kind != "answered") or (said.cut and kind == "incoherent"):
        return None
    if _says_it_again(prompt.prompt, said.text):
        return None
    return said if prompt.language == "en" or _is_in(said.text, prompt.language) else None


def _says_it_again(prompt: str, said: str) -> bool:
    """Is the answer a piece of the prompt? A few words of it may be the right answer; a sentence is none."""
    return len(said.split()) >= ECHO_WORDS and normalise(said) in normalise(prompt)


@cache
def _is_in(text: str, language: str) -> bool:
    """Is it in this language, rather than in English? A base that does not speak it answers in English as a rule."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_pickled_model(MODEL_FILE, norm_probs=True)
    identifier.set_languages(["en", language])
    return str(identifier.classify(text)[0]) == language


def _line(row: MixedRow) -> str:
    told = {"id": row.id, "kind": row.kind, "cut": row.cut}
    if row.kind == "general":
        return json.dumps(told | {"prompt": row.prompt, "answer": row.answer}, ensure_ascii=False)
    return json.dumps(told | {"packed": pack_text(json.dumps([row.prompt, row.answer]))})


def _parsed(line: str) -> MixedRow:
    told = json.loads(line)
    if "packed" in told:
        told["prompt"], told["answer"] = json.loads(unpack_text(told.pop("packed")))
    return MixedRow.model_validate(told)
