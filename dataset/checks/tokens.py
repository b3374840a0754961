"""What the model will see: lengths, cut rows, rows that teach nothing, tokens that mean something to the template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from core.errors import BadInput
from dataset.finding import Finding, TokenCounts, finding, plural
from dataset.row import Row

if TYPE_CHECKING:
    from dataset.render import Renderer

CHARS_PER_TOKEN = 4
"""Rule of thumb for English, used where no tokenizer is at hand."""
_SPECIAL = re.compile(r"<\|[^|<>\s]{1,40}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>")
_PLACEHOLDER = re.compile(r"\{\{ ?[A-Za-z_][\w .]{0,40} ?\}\}")


def check_tokens(rows: Sequence[Row], renderer: Renderer | None, max_tokens: int) -> tuple[TokenCounts, list[Finding]]:
    """Token counts, and too_long, no_trainable_tokens, special_token, template_mismatch."""
    findings = [*_special(rows, renderer), *_placeholders(rows)]
    if renderer is None:
        counts = [max(1, round(len(row.text) / CHARS_PER_TOKEN)) for row in rows]
        name = f"estimate: {CHARS_PER_TOKEN} characters a token"
        findings.extend(_too_long(rows, counts, max_tokens, "about "))
        return token_counts(counts, name), findings
    counts, untrainable, refused = [], [], []
    for row, encoded in renderer.encode_all(rows, max_tokens):
        if isinstance(encoded, BadInput):
            refused.append((row.line, encoded.message))
            continue
        counts.append(encoded.tokens)
        if not encoded.trainable:
            untrainable.append(row.line)
    refused_lines = {line for line, _ in refused}
    findings.extend(_too_long([row for row in rows if row.line not in refused_lines], counts, max_tokens, ""))
    if untrainable:
        findings.append(
            finding(
                "no_trainable_tokens",
                "error",
                untrainable,
                f"{plural(len(untrainable), 'row has', 'rows have')} no token to learn: the answer is empty, or lies "
                f"beyond the first {max_tokens:,} tokens.",
                "Raise max_tokens, shorten the input, or leave these rows out.",
            )
        )
    if refused:
        findings.append(
            finding(
                "template_mismatch",
                "error",
                (line for line, _ in refused),
                f"{plural(len(refused), 'row does', 'rows do')} not fit the chat template of the model: line "
                f"{refused[0][0]} {refused[0][1]}",
                "Bring the turns into the order that the template expects, or take another base model.",
            )
        )
    return token_counts(counts, renderer.name), findings


def token_counts(counts: Sequence[int], tokenizer: str) -> TokenCounts:
    """Sum and percentiles (nearest rank)."""
    if not counts:
        return TokenCounts(tokenizer=tokenizer)
    ordered = sorted(counts)
    rank = [ordered[max(0, -(-len(ordered) * share // 100) - 1)] for share in (50, 95)]
    return TokenCounts(total=sum(ordered), p50=rank[0], p95=rank[1], max=ordered[-1], tokenizer=tokenizer)


def _too_long(rows: Sequence[Row], counts: Sequence[int], max_tokens: int, about: str) -> Iterator[Finding]:
    lines = [row.line for row, count in zip(rows, counts, strict=True) if count > max_tokens]
    if lines:
        yield finding(
            "too_long",
            "warning",
            lines,
            f"{plural(len(lines), 'row is', 'rows are')} longer than {max_tokens:,} tokens and will be cut; "
            f"the longest has {about}{max(counts):,}.",
            "Raise max_tokens, or shorten these rows.",
        )


def _special(rows: Sequence[Row], renderer: Renderer | None) -> Iterator[Finding]:
    names = sorted(renderer.special_tokens, key=len, reverse=True) if renderer else []
    own = re.compile("|".join(re.escape(name) for name in names)) if names else None
    lines, shown = [], ""
    for row in rows:
        text = row.text
        match = _SPECIAL.search(text) if "<" in text or "[" in text else None
        match = match or (own.search(text) if own else None)
        if match:
            lines.append(row.line)
            shown = shown or match.group()
    if lines:
        yield finding(
            "special_token",
            "error" if shown.startswith("<|") or shown in names else "warning",
            lines,
            f"{plural(len(lines), 'row has', 'rows have')} tokens of a chat template in the text (`{shown[:40]}` in "
            f"line {lines[0]}).",
            "Take them out: the template is put around the turns for you.",
        )


def _placeholders(rows: Sequence[Row]) -> Iterator[Finding]:
    lines, shown = [], ""
    for row in rows:
        text = row.text
        match = _PLACEHOLDER.search(text) if "{{" in text else None
        if match:
            lines.append(row.line)
            shown = shown or match.group()
    if lines:
        yield finding(
            "template_mismatch",
            "warning",
            lines,
            f"{plural(len(lines), 'row has', 'rows have')} a placeholder that was not filled in (`{shown[:40]}`).",
            "Fill it in; the model would learn to write it.",
        )
