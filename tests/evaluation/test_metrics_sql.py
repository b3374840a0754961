from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import pytest

from core.errors import BadInput, NotFound, Refused
from evaluation.metrics import broken_queries, choose_metric, score, sql_match, sql_parses, sql_rows
from evaluation.metrics import sql_text as sql_text_module
from evaluation.metrics.sql_rows import is_ordered, run_query
from evaluation.metrics.sql_text import sql_in

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop? #1.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            """
            CREATE TABLE customers (id INTEGER, name TEXT, city TEXT);
            INSERT INTO customers VALUES (1, 'Ada', 'Bern'), (2, 'Ben', 'Basel'), (3, 'Cleo', 'Bern');
            CREATE TABLE orders (customer_id INTEGER, total REAL);
            INSERT INTO orders VALUES (1, 10.0), (1, 0.1), (3, 7.5);
            """
        )
    connection.close()
    return path


@pytest.mark.parametrize(
    "other",
    [
        "select name from customers where city = 'Bern'",
        "SELECT customers.name FROM customers WHERE customers.city = 'Bern';",
        "SELECT c.\"Name\" FROM `Customers` AS c WHERE c.[city] = 'Bern'",
        "```sql\nSELECT name\nFROM customers -- all of them\nWHERE city = 'Bern'\n```",
    ],
)
def test_the_same_query_matches_whatever_its_spelling(other: str) -> None:
    assert sql_match("SELECT name FROM customers WHERE city = 'Bern'", other) == 1


@pytest.mark.parametrize(
    "other",
    [
        "SELECT name FROM customers WHERE city = 'bern'",
        "SELECT name, city FROM customers WHERE city = 'Bern'",
        "SELECT name FROM clients WHERE city = 'Bern'",
        "SELECT name FROM customers WHERE city = 'Bern' LIMIT 1",
        "SELECT name FROM customers WHERE",
        "customers in Bern",
        "",
    ],
)
def test_another_query_does_not_match(other: str) -> None:
    assert sql_match("SELECT name FROM customers WHERE city = 'Bern'", other) == 0


def test_aliases_of_joined_tables_are_put_back() -> None:
    one = "SELECT c.name FROM customers c JOIN orders o ON o.customer_id = c.id"
    other = "SELECT customers.name FROM customers JOIN orders AS x ON x.customer_id = customers.id"
    assert sql_match(one, other) == 1
    assert sql_match(one, one.replace("SELECT c.", "SELECT o.")) == 0


def test_a_table_joined_with_itself_keeps_its_aliases() -> None:
    one = "SELECT a.name FROM customers a JOIN customers b ON a.city = b.city WHERE b.name = 'Ada'"
    assert sql_match(one, one) == 1
    assert sql_match(one, one.replace("b.name = 'Ada'", "a.name = 'Ada'")) == 0


def test_a_column_of_an_inner_query_is_not_taken_for_one_of_the_outer() -> None:
    one = "SELECT name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)"
    assert sql_match(one, one.replace("c.id", "o.id")) == 0


def test_a_text_in_double_quotes_is_a_text() -> None:
    one = "SELECT name FROM customers WHERE city = 'Bern' AND name IN ('Ada', 'Ben')"
    assert sql_match(one, one.replace("'", '"')) == 1
    assert sql_match(one.replace("'", '"'), one.replace("'", '"').replace("Bern", "bern")) == 0


def test_every_query_of_the_text_to_sql_files_parses_and_matches_itself(shared: Path) -> None:
    lines = (shared / "data/lamini_text2sql/cleaned.jsonl").read_text().splitlines()
    lines += (shared / "data/sqlqa/sqlqa.jsonl").read_text().splitlines()[:300]
    queries = [row.get("sql", row.get("answer")) for row in map(json.loads, filter(None, lines))]
    assert len(queries) == 520 and all(sql_parses(query) for query in queries)
    assert all(sql_match(query, f"```sql\n{sql_in(query)};\n```") for query in queries)
    assert choose_metric("auto", queries) == "sql_match"


def test_queries_that_match_as_text_bring_the_same_rows(shop: Path) -> None:
    columns, tables = ["name", "c.name", "Name", '"name"', "city", "c.City"], ["customers c", "customers AS c"]
    conditions = ["c.city = 'Bern'", "CITY='Bern'", 'city = "Bern"', "city = 'bern'", "id > 1 ORDER BY id", "id > 1"]
    queries = [
        f"select {column} from {table} where {condition}"
        for column in columns
        for table in tables
        for condition in conditions
    ]
    same = [(one, other) for one in queries for other in queries[::5] if sql_match(one, other)]
    assert len(same) > 100
    assert all(sql_rows(one, other, shop) == 1 for one, other in same)


def test_words_are_no_sql() -> None:
    assert sql_parses("SELECT 1") == sql_parses("DELETE FROM orders WHERE total > 3") == 1
    assert sql_parses("rooms") == sql_parses("please help") == sql_parses("SELECT 1; SELECT 2") == 0
    assert sql_parses("(" * 3000) == sql_parses("SELECT " * 3000) == 0


def test_without_sqlglot_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_text_module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Refused) as caught:
        sql_parses("SELECT 1")
    assert "tuneworthy[sql]" in caught.value.hint


def test_queries_that_are_written_otherwise_bring_the_same_rows(shop: Path) -> None:
    expected = "SELECT name FROM customers WHERE id IN (SELECT customer_id FROM orders)"
    joined = "SELECT DISTINCT c.name AS who FROM customers c, orders o WHERE o.customer_id = c.id ORDER BY name DESC"
    assert sql_rows(expected, joined, shop) == 1
    assert sql_rows(expected, "SELECT name FROM customers", shop) == 0
    assert sql_rows(expected, "SELECT nome FROM customers", shop) == 0
    assert score("sql_rows", expected, joined, shop) == score("sql_rows", expected, joined, str(shop)) == 1


def test_order_counts_only_where_it_was_asked_for(shop: Path) -> None:
    rising, falling = ("SELECT name FROM customers ORDER BY id" + end for end in ("", " DESC"))
    assert sql_rows(rising, falling, shop) == 0
    assert sql_rows("SELECT name FROM customers", falling, shop) == 1


@pytest.mark.parametrize(
    ("query", "ordered"),
    [
        ("SELECT a FROM t ORDER\nBY a", True),
        ("SELECT * FROM (SELECT a FROM t ORDER BY a) WHERE f(g(1)) > 2", False),
        ("SELECT 'order by' FROM t -- order by a", False),
        ('SELECT "(" FROM t ORDER BY a', True),
    ],
)
def test_an_order_inside_brackets_or_text_is_none(query: str, ordered: bool) -> None:
    assert is_ordered(query) is ordered


def test_rows_are_counted_with_their_repeats_and_numbers_by_their_value(shop: Path) -> None:
    assert sql_rows("SELECT city FROM customers", "SELECT DISTINCT city FROM customers", shop) == 0
    assert sql_rows("SELECT 3", "SELECT 3.0", shop) == 1
    assert sql_rows("SELECT 0.3", "SELECT 0.1 + 0.2", shop) == 1
    assert sql_rows("SELECT 3", "SELECT '3'", shop) == 0


@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE customers",
        "DELETE FROM customers",
        "INSERT INTO orders VALUES (9, 9) RETURNING total",
        "ATTACH DATABASE 'other.db' AS other",
        "PRAGMA journal_mode = DELETE",
        "VACUUM INTO 'copy.db'",
        "CREATE TEMP TABLE t AS SELECT 1",
        "SELECT load_extension('evil')",
        "BEGIN",
        "SELECT 1; DROP TABLE customers",
        "SELECT group_concat(hex(zeroblob(60000000))) FROM customers",
        "SELECT name LIKE '" + "%a" * 200 + "' FROM customers",
        "SELECT * FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000) SELECT i FROM n)",
        "SELECT \x00",
        "x" * 50_000,
        "",
    ],
)
def test_what_writes_or_is_too_large_brings_nothing(query: str, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.parent)
    before = shop.read_bytes()
    assert run_query(query, shop) is None
    assert shop.read_bytes() == before
    assert [path.name for path in shop.parent.iterdir()] == [shop.name]


def test_a_query_without_end_is_stopped(shop: Path) -> None:
    started = time.monotonic()
    assert run_query(ENDLESS, shop) is None
    assert time.monotonic() - started < 30


def test_rows_whose_expected_query_fails_are_named(shop: Path) -> None:
    assert broken_queries(["SELECT 1", "SELECT gone FROM customers", "SELECT name FROM customers"], shop) == [1]
    assert sql_rows("SELECT gone FROM customers", "SELECT gone FROM customers", shop) == 0


def test_a_wrong_file_is_said(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        sql_rows("SELECT 1", "SELECT 1", tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "text.db").write_text("these are words, not pages of a database. " * 40)
    with pytest.raises(BadInput):
        sql_rows("SELECT 1", "SELECT 1", tmp_path / "text.db")
    with pytest.raises(BadInput):
        score("sql_rows", "SELECT 1", "SELECT 1")
