"""What the pages show works: code runs, files can be read, commands and links exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
import socket
import sys
import tomllib
import types
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from core.jobspec import read_spec
from cost_models.prices import PriceRow
from tuneworthy import cli

from .conftest import ROOT, Block, Page, pages

PAGES = pages()
WITH_PYTHON = [page for page in PAGES if any(block.language == "python" for block in page.blocks)]
YAML_BLOCKS = [(page, block) for page in PAGES for block in page.blocks if block.language in ("yaml", "yml")]
TOML_BLOCKS = [(page, block) for page in PAGES for block in page.blocks if block.language == "toml"]
VERBS: dict[str, Any] = typer.main.get_command(cli).commands  # type: ignore[attr-defined]
COMMAND = re.compile(r"^(?:\w+=\S+ +)*(?:\S*/)?tuneworthy(?P<rest>(?: .*)?)$")
MODULE = re.compile(r"\bpython3? -m (?P<module>[a-z_]+(?:\.[a-z_]+)*)")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
PLACEHOLDER = re.compile(r"\b(?:[A-Z]{3,}_[A-Z_]*[A-Z]|TODO|TBD|FIXME|TIMING)\b")
FENCES = re.compile(r"^ {0,3}```", re.MULTILINE)


def _name(page: Page) -> str:
    return page.name


def _where(case: tuple[Page, Block]) -> str:
    return f"{case[0].name}:{case[1].line}"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            self.close()  # else its warning would fail the next test as well
            pytest.fail(f"a block of the documentation wants to connect to {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("page", WITH_PYTHON, ids=_name)
def test_the_python_blocks_of_a_page_run_one_after_the_other(
    page: Page, no_network: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("documented")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for block in page.blocks:
        if block.language == "python":
            # Blank lines in front make the lines of a traceback those of the page.
            code = compile("\n" * (block.line - 1) + block.text, str(page.path), "exec")
            exec(code, vars(module))


@pytest.mark.parametrize("case", YAML_BLOCKS, ids=_where)
def test_a_spec_or_answers_file_that_is_shown_can_be_read(case: tuple[Page, Block], tmp_path: Path) -> None:
    text = case[1].text
    value = yaml.safe_load(text)
    file = tmp_path / "shown.yaml"
    file.write_text(text, encoding="utf-8")
    assert isinstance(value, dict), "a YAML block holds named fields"
    if "answers" in value:
        for verb in ("advise", "cost"):
            # The code of the verb itself: it raises what it would print in one line.
            assert CliRunner().invoke(cli, [verb, str(file), "--json"], catch_exceptions=False).exit_code == 0
    else:
        assert read_spec(file).kind == value.get("kind", "train")


@pytest.mark.parametrize("case", TOML_BLOCKS, ids=_where)
def test_a_price_row_that_is_shown_can_be_read(case: tuple[Page, Block]) -> None:
    for row in tomllib.loads(case[1].text).get("price", []):
        assert PriceRow.model_validate(row).source


def test_every_command_that_is_shown_exists_with_its_options(command_lines: list[tuple[str, str]]) -> None:
    wrong = [f"{page}: {line}: {problem}" for page, line in command_lines for problem in _wrong_with(line)]
    assert not wrong, "\n".join(wrong)
    assert sum(bool(COMMAND.match(line)) for _, line in command_lines) > 20, "commands are no longer found"


def test_a_wrong_command_would_be_found() -> None:
    assert _wrong_with("tuneworthy advise answers.yaml --json") == []
    assert _wrong_with("tuneworthy advise answers.yaml --jsno") == ["there is no option --jsno"]
    assert _wrong_with(".venv/bin/tuneworthy advice answers.yaml") == ["there is no verb advice"]
    assert _wrong_with("TUNEWORTHY_HOME=/tmp/x tuneworthy jobs && tuneworthy shwo 1") == ["there is no verb shwo"]
    assert _wrong_with("tuneworthy rescue lsit") == ["there is no verb rescue lsit"]
    assert _wrong_with("tuneworthy rescue list --hots x") == ["there is no option --hots"]
    assert _wrong_with("python -m cost_models.refrehs") == ["there is no module cost_models.refrehs"]
    assert _wrong_with("make tset") == ["there is no target tset"]
    assert _wrong_with("make PYTHON=python3.12 app  # opens it") == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_to_files_that_are_there(page: Page) -> None:
    dead = [link for link in LINK.findall(page.prose) if not (page.path.parent / link).exists()]
    assert not dead


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_no_figure_is_still_to_be_filled_in(page: Page) -> None:
    words = re.sub(r"`[^`\n]*`", "", page.prose)
    assert not PLACEHOLDER.findall(words)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_fence_is_closed(page: Page) -> None:
    assert len(FENCES.findall(page.text)) == 2 * len(page.blocks)


def _wrong_with(line: str) -> list[str]:
    """What does not exist in a line that a reader may type."""
    found = []
    line = re.split(r"\s#", line)[0]
    for part in re.split(r"&&|\|\||[|;>]", line):
        command = COMMAND.match(part.strip())
        if command:
            found += _wrong_words(command["rest"])
        if part.strip().startswith("make "):
            found += _wrong_targets(part.split()[1:])
    for module in MODULE.findall(line):
        if module.partition(".")[0] in _rooms() and importlib.util.find_spec(module) is None:
            found.append(f"there is no module {module}")
    return found


def _wrong_words(rest: str) -> list[str]:
    try:
        words = shlex.split(rest, comments=True)
    except ValueError:
        words = rest.split()
    verbs = [word for word in words if not word.startswith("-")]
    if not verbs or verbs[0] == "VERB":
        return [f"there is no option {word}" for word in words if word.startswith("--") and word != "--help"]
    verb = VERBS.get(verbs[0])
    if verb is None:
        return [f"there is no verb {verbs[0]}"]
    if inner := getattr(verb, "commands", {}):
        if len(verbs) < 2:
            return []
        verb = inner.get(verbs[1])
        if verb is None:
            return [f"there is no verb {verbs[0]} {verbs[1]}"]
    known = {"--help", *(name for each in verb.params for name in (*each.opts, *each.secondary_opts))}
    given = (word.partition("=")[0] for word in words if word.startswith("--"))
    return [f"there is no option {option}" for option in given if option not in known]


def _wrong_targets(words: list[str]) -> list[str]:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = [word for word in words if re.fullmatch(r"[a-z-]+", word)]
    return [f"there is no target {word}" for word in named if word not in targets]


def _rooms() -> set[str]:
    return {path.parent.name for path in ROOT.glob("*/__init__.py")} | {path.stem for path in ROOT.glob("*.py")}
