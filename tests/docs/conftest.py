"""The pages that people read, and what is written in code in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^ {0,3}```(\w*)[^\n]*\n(.*?)^ {0,3}```\s*$", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)((?: {4}[^\n]*\n|\n)+)")
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line of the page on which the text begins."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Page:
    """One page, taken apart."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def blocks(self) -> list[Block]:
        text = self.text
        return [Block(found[1], found[2], text.count("\n", 0, found.start(2)) + 1) for found in _FENCE.finditer(text)]

    @property
    def prose(self) -> str:
        """The page without its fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def spans(self) -> list[str]:
        """What stands between backticks in a line."""
        return _SPAN.findall(self.prose)

    @property
    def command_lines(self) -> list[str]:
        """Lines that a reader may type: in fenced blocks without a language of their own, indented, or in backticks."""
        shells = ("", "sh", "bash", "shell", "console", "text")
        lines = [line for block in self.blocks if block.language in shells for line in block.text.splitlines()]
        lines += [line for found in _INDENTED.findall(self.prose) for line in found.splitlines()]
        return [line.strip().removeprefix("$ ") for line in [*lines, *self.spans] if line.strip()]


def pages() -> list[Page]:
    """README and docs/, and the other pages at the root."""
    found = [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
    found += [path for folder in ("examples", "benchmarks") for path in sorted((ROOT / folder).rglob("*.md"))]
    return [Page(path) for path in found if path.is_file()]


@pytest.fixture(scope="session")
def spans() -> frozenset[str]:
    """Everything between backticks on any page."""
    return frozenset(span for page in pages() for span in page.spans)


@pytest.fixture(scope="session")
def command_lines() -> list[tuple[str, str]]:
    """(page, line) of everything that a reader may type."""
    return [(page.name, line) for page in pages() for line in page.command_lines]
