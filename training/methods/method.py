"""What a tuning method says of itself, before anything heavy is loaded: pages and checks read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from core.errors import Problem
from core.jobspec import LEARNING_RATES, JobSpec, MethodKind, MethodSpec

Form = Literal["peft", "own", "whole"]
FORMS: dict[Form, str] = {
    "peft": "a PEFT adapter, which loads anywhere",
    "own": "an adapter of our own form, which nothing else loads",
    "whole": "a whole model, which loads anywhere without its base",
}


@dataclass(frozen=True)
class Forbidden:
    """One thing that does not go with a method, and why."""

    what: str
    """In a word or two: `Gradient checkpointing`."""
    because: str
    """The reason, one sentence."""
    where: str
    """Field of the spec that says it."""
    hint: str
    asked: Callable[[JobSpec], bool]
    """Does this spec ask for it?"""

    @property
    def words(self) -> str:
        """For a table or a form."""
        return f"{self.what}: {self.because}"


@dataclass(frozen=True)
class Method:
    """A tuning method. `attach` of its file makes a model learn that way."""

    kind: MethodKind
    label: str
    trains: str
    """What is trained, in one line."""
    why: str
    """When one takes it, in one line."""
    form: Form
    mergeable: bool
    """Can the result be added into the base's own weights?"""
    rate_source: str
    """Where its usual learning rate comes from."""
    settings: tuple[str, ...] = ()
    """Fields of `method` that it reads, beside `kind` and `bits`."""
    forbids: tuple[Forbidden, ...] = field(default=())

    @property
    def learning_rate(self) -> float:
        """What it takes where a spec gives none."""
        return LEARNING_RATES[self.kind]

    def problems(self, spec: JobSpec) -> list[Problem]:
        """Everything in the spec that does not go with it."""
        found = [
            Problem(what=f"{each.what} does not go with {self.label}: {each.because}", where=each.where, hint=each.hint)
            for each in self.forbids
            if each.asked(spec)
        ]
        for name, setting in MethodSpec.model_fields.items():
            foreign = name not in ("kind", "bits", *self.settings)
            if foreign and getattr(spec.method, name) != setting.default:
                what = f"`{name}` changes nothing in {self.label}."
                found.append(Problem(what=what, where=f"method.{name}", hint="Leave it out."))
        return found

    def may_checkpoint(self) -> bool:
        """Can activations be recomputed?"""
        return not any(each.where == "grad_checkpointing" for each in self.forbids)


def bits_but(*allowed: str) -> Callable[[JobSpec], bool]:
    """Asked for a base in any other number of bits?"""
    return lambda spec: spec.method.bits not in allowed
