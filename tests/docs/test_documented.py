"""Nothing that a person can name, set or meet is left out of the pages."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterable
from typing import Any

import pytest
import typer

from advisor.rules import RULES, table
from backends.engines import ENGINES
from core.answers import APPROACHES, Answers
from core.job import Engine
from core.jobspec import HostSettings, JobSpec, MethodSpec
from tuneworthy import cli

from .conftest import ROOT, pages

VERBS: dict[str, Any] = typer.main.get_command(cli).commands  # type: ignore[attr-defined]
for group, verb in list(VERBS.items()):
    VERBS |= {f"{group} {name}": inner for name, inner in getattr(verb, "commands", {}).items()}
VARIABLE = re.compile(r"\bTUNEWORTHY_[A-Z_]*[A-Z]\b|\bTORCH_INDEX_URL\b")
MAKE_VARIABLE = re.compile(r"^([A-Z_]+) \?= |\$\(([A-Z_]+)\)", re.MULTILINE)


def test_every_engine_is_documented(spans: frozenset[str]) -> None:
    _all_in(spans, ENGINES)


def test_every_promise_of_the_seam_is_documented(spans: frozenset[str]) -> None:
    _all_in(spans, [name for name, member in vars(Engine).items() if callable(member) and not name.startswith("_")])


def test_every_approach_is_documented(spans: frozenset[str]) -> None:
    _all_in(spans, APPROACHES)


def test_every_rule_is_documented(spans: frozenset[str]) -> None:
    _all_in(spans, [rule.id for rule in RULES])


def test_the_table_of_rules_is_the_one_that_the_code_prints() -> None:
    assert table() in (ROOT / "docs" / "advise.md").read_text(encoding="utf-8"), "put advisor.rules.table() in it"


def test_every_check_of_data_is_documented(spans: frozenset[str]) -> None:
    checks = _check_ids()
    assert len(checks) > 15 and {"exact_duplicate", "secret", "bad_line"} <= checks, "checks are no longer found"
    _all_in(spans, checks)


def test_every_verb_is_documented_with_every_option(command_lines: list[tuple[str, str]]) -> None:
    shown = [line for _, line in command_lines]
    written = {" ".join(line.split()[:words]) for line in shown for words in (2, 3)}
    _all_in(written, [f"tuneworthy {verb}" for verb in VERBS])
    row = {name: line for name, line in _verb_rows().items() if name in VERBS}
    missing = [
        f"{verb} {option}"
        for verb, command in VERBS.items()
        for option in (each.opts[0] for each in command.params if each.opts[0].startswith("--"))
        if option != "--json" and f"`{option}" not in row.get(verb, "")
    ]
    assert not missing, f"not in docs/command-line.md: {', '.join(missing)}"


@pytest.mark.parametrize(
    ("model", "before"), [(JobSpec, ""), (MethodSpec, "method."), (HostSettings, "host."), (Answers, "")]
)
def test_every_field_of_a_file_is_documented(model: Any, before: str, spans: frozenset[str]) -> None:
    _all_in(spans, [before + field for field in model.model_fields])


def test_every_variable_of_the_environment_is_documented(spans: frozenset[str]) -> None:
    listed = ["git", "ls-files", "*.py", "*.toml", "Makefile", ".ci/run"]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    files = files or [str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py") if ".venv" not in path.parts]
    text = "\n".join((ROOT / file).read_text(encoding="utf-8") for file in files if (ROOT / file).is_file())
    found = set(VARIABLE.findall(text))
    assert "TUNEWORTHY_HOME" in found, "variables are no longer found"
    _all_in(spans, found)


def test_every_variable_of_the_makefile_is_documented(spans: frozenset[str]) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    _all_in(spans, {name for pair in MAKE_VARIABLE.findall(text) for name in pair if name} - {"RUN"})


def test_what_is_missing_would_be_named() -> None:
    with pytest.raises(AssertionError, match="not documented: not_there"):
        _all_in({"there"}, ["there", "not_there"])


def _all_in(written: Iterable[str], names: Iterable[str]) -> None:
    missing = sorted(set(names) - set(written))
    assert not missing, f"not documented: {', '.join(missing)}"


def _check_ids() -> set[str]:
    """The first argument of every call that makes a finding; it must be written out, so that it can be found."""
    found = set()
    for path in sorted((ROOT / "dataset").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id in ("finding", "Finding") and path.name != "finding.py":
                words = {each.arg: each.value for each in node.keywords}
                check = node.args[0] if node.args else words["check"]
                assert isinstance(check, ast.Constant), f"{path}:{node.lineno}: write the check's id out"
                found.add(str(check.value))
    return found


def _verb_rows() -> dict[str, str]:
    """{verb: its row} in the table of docs/command-line.md."""
    page = next((page for page in pages() if page.name == "docs/command-line.md"), None)
    lines = page.text.splitlines() if page else []
    return {found[1]: line for line in lines if (found := re.match(r"\| `tuneworthy ([a-z-]+(?: [a-z-]+)?)", line))}
