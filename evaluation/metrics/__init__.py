"""How right an answer is: from 0 to 1, row by row. One file a family; `choose` picks and applies."""

from core.jobspec import Metric
from evaluation.metrics.choose import METRICS, choose_metric, score
from evaluation.metrics.json_fields import field_f1, field_matches
from evaluation.metrics.json_schema import infer_schema, read_schema, schema_valid
from evaluation.metrics.json_values import find_json, is_structure, json_match, json_valid, read_json, same_json
from evaluation.metrics.numeric import number_in, numeric
from evaluation.metrics.sql_rows import broken_queries, sql_rows
from evaluation.metrics.sql_text import same_query, sql_match, sql_parses
from evaluation.metrics.texts import exact_match, normalised_match, words_of
from evaluation.metrics.word_overlap import rouge_l, token_f1

__all__ = [
    "METRICS",
    "Metric",
    "broken_queries",
    "choose_metric",
    "exact_match",
    "field_f1",
    "field_matches",
    "find_json",
    "infer_schema",
    "is_structure",
    "json_match",
    "json_valid",
    "normalised_match",
    "number_in",
    "numeric",
    "read_json",
    "read_schema",
    "rouge_l",
    "same_json",
    "same_query",
    "schema_valid",
    "score",
    "sql_match",
    "sql_parses",
    "sql_rows",
    "token_f1",
    "words_of",
]
