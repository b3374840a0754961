"""What can go wrong, as one tree.

TuneworthyError          every error of ours: a message (with the value got) and a hint (the one thing to do)
├── BadInput             a file, form or spec that cannot be used: names file and line
│   └── ProblemsFound    several of them at once
├── NotFound             a plan, job, adapter or file that is not there
├── Refused              asked for something that must not be done now (does not fit, already running ...)
├── BaseModelUnavailable the base model could not be found or fetched
├── EngineError          an engine could not do what was asked
└── StoreError           the store could not be opened or written
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ValidationError


class Problem(BaseModel):
    """One thing that is wrong, where it is, and the one thing to do about it."""

    what: str
    where: str = ""
    hint: str = ""
    severity: str = "error"
    """`error` stops the job; `warning` is shown."""

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{where}{self.what}{hint}"


class TuneworthyError(Exception):
    """Base of all errors that are meant to be read by a person."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def problems(self) -> list[Problem]:
        """The error as a list of problems, to be shown all at once."""
        return [Problem(what=self.message, hint=self.hint)]


class BadInput(TuneworthyError):
    """A file, form or spec that cannot be used."""

    def __init__(self, message: str, hint: str = "", *, file: str = "", line: int | None = None) -> None:
        super().__init__(message, hint)
        self.file = file
        self.line = line

    @property
    def where(self) -> str:
        """`file:line`, `file`, or an empty string."""
        return f"{self.file}:{self.line}" if self.file and self.line is not None else self.file

    def __str__(self) -> str:
        return str(self.problems()[0])

    def problems(self) -> list[Problem]:
        """This error as a list of one."""
        return [Problem(what=self.message, where=self.where, hint=self.hint)]


class ProblemsFound(BadInput):
    """Several problems of one form, spec or file, reported together."""

    def __init__(self, found: Sequence[Problem]) -> None:
        if not found:
            raise ValueError("ProblemsFound needs at least one problem")
        super().__init__(found[0].what, found[0].hint, file=found[0].where)
        self.found = list(found)

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.found)

    def problems(self) -> list[Problem]:
        """All that was found, in the order of the file or form."""
        return self.found


class NotFound(TuneworthyError):
    """A plan, job, adapter or file that is not there."""


class Refused(TuneworthyError):
    """Asked for something that must not be done now."""


class BaseModelUnavailable(TuneworthyError):
    """The base model could not be found, fetched or converted."""


class EngineError(TuneworthyError):
    """An engine could not do what was asked."""


class StoreError(TuneworthyError):
    """The store could not be opened or written."""


def problems_of(error: ValidationError, where: str = "") -> list[Problem]:
    """All problems of a pydantic validation error in plain words, with the value got."""
    found = []
    for item in error.errors(include_url=False):
        field = ".".join(str(part) for part in item["loc"]) or "input"
        got = "" if item["type"] == "missing" else f" (got {item['input']!r:.60})"
        if item["type"] == "extra_forbidden":
            what, hint = f"`{field}` is not a known field", "Remove it, or check its spelling."
            got = ""
        elif item["type"] == "missing":
            what, hint = f"`{field}` is missing", "Add it."
        else:
            what, hint = f"`{field}`: {item['msg'][:1].lower()}{item['msg'][1:]}", ""
        found.append(Problem(what=f"{what}{got}.", where=where, hint=hint))
    return found
