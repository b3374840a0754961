"""Answers in SQL, compared as text: does it parse, and is it the same query written otherwise?

Needs sqlglot, the extra `sql`. Two queries that differ may still bring the same rows: `sql_rows` runs them.
"""

from __future__ import annotations

import importlib.util
import logging
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from core.errors import Refused

MAX_CHARACTERS = 20_000
_WRAPPED = re.compile(r"```(?:\w+)?\s*\n(.*?)```|\[SQL\](.*?)\[/SQL\]", re.DOTALL | re.IGNORECASE)
_QUERY = re.compile(r"\(*\s*(?:select\b|with\b.+\bas\s*\(\s*select\b)", re.IGNORECASE | re.DOTALL)
_LOOKED_AT = 200
"""Answers that tell whether a task is answered in SQL."""
_DIALECTS = ("sqlite", "")
"""Read as SQLite (it takes every kind of quotes), or else as sqlglot's own superset."""


def has_sqlglot() -> bool:
    """True where the extra `sql` is installed."""
    return importlib.util.find_spec("sqlglot") is not None


def sql_in(answer: str) -> str:
    """The query in an answer: in its first code fence or between `[SQL]` marks, or else all of it; no semicolon."""
    wrapped = _WRAPPED.search(answer)
    return ((wrapped[1] or wrapped[2] or "") if wrapped else answer).strip().rstrip(";").rstrip()


def looks_like_sql(answers: Sequence[str], share: float) -> bool:
    """True where at least that share of the answers begins as a query does and, where that can be told, parses."""
    looked_at = [sql_in(text)[:MAX_CHARACTERS] for text in answers[:_LOOKED_AT]]
    queries = [text for text in looked_at if _QUERY.match(text)]
    if len(queries) >= share * len(looked_at) and has_sqlglot():
        queries = [text for text in queries if sql_parses(text)]
    return bool(queries) and len(queries) >= share * len(looked_at)


def sql_parses(answer: str) -> float:
    """1 when the answer is one SQL statement that parses. Raises `Refused` without sqlglot."""
    return float(_parsed(sql_in(answer)) is not None)


def sql_match(expected: str, answer: str) -> float:
    """1 when both are the same query but for spaces, case, quotes, comments, aliases of tables and qualified names.

    Order of columns, of conditions and of joins counts, and so do aliases of columns. Raises `Refused` without sqlglot.
    """
    return float(same_query(sql_in(expected), sql_in(answer)))


def same_query(one: str, other: str) -> bool:
    """True for two queries with the same normal form; false where either does not parse."""
    first, second = _parsed(one), _parsed(other)
    return first is not None and second is not None and _normal(first) == _normal(second)


def _parsed(text: str) -> Any:
    """The syntax tree of one statement, or None."""
    if not has_sqlglot():
        raise Refused("SQL cannot be compared without sqlglot.", 'Run `pip install "tuneworthy[sql]"`.')
    import sqlglot
    from sqlglot import exp

    if not text or len(text) > MAX_CHARACTERS:
        return None
    # It warns of what it can only carry along; for us that does not parse.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    for dialect in _DIALECTS:
        try:
            trees = sqlglot.parse(text, read=dialect)
        except (sqlglot.errors.SqlglotError, RecursionError):
            continue
        # A bare word parses as a column: only whole statements count.
        if len(trees) == 1 and isinstance(trees[0], exp.Query | exp.DML | exp.DDL):
            return trees[0]
    return None


def _quoted_to_texts(tree: Any) -> None:
    """`city = "Bern"` means a text in SQLite where no column is called so: then its case counts."""
    from sqlglot import exp

    for column in list(tree.find_all(exp.Column)):
        quoted = isinstance(column.this, exp.Identifier) and column.this.args.get("quoted") and not column.table
        compared = isinstance(column.parent, exp.Predicate | exp.Binary) and column.arg_key != "this"
        if quoted and compared:
            column.replace(exp.Literal.string(column.name))


def _normal(tree: Any) -> str:
    """The tree as text in one spelling."""
    from sqlglot import exp

    tree = tree.copy()
    _quoted_to_texts(tree)
    for identifier in tree.find_all(exp.Identifier):
        identifier.set("this", str(identifier.this).lower())
        identifier.set("quoted", False)
    tables = list(tree.find_all(exp.Table))
    names = {table.alias_or_name: table.name for table in tables}
    once = Counter(table.name for table in tables)
    clear = {alias: name for alias, name in names.items() if once[name] == 1}
    if len({table.alias_or_name for table in tables}) < len(tables):
        clear = {}  # one alias for two tables: nothing is certain
    alone = len(tables) == 1 and tree.find(exp.Subquery) is None
    for table in tables:
        if table.alias_or_name in clear:
            table.set("alias", None)
    for column in tree.find_all(exp.Column):
        if column.table in clear:
            name = clear[column.table]
            column.set("table", None if alone else exp.to_identifier(name))
    return str(tree.sql(dialect="sqlite", comments=False, normalize_functions="upper"))
