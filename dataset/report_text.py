"""The report of a check as Markdown: what a colleague without the app reads."""

from __future__ import annotations

from dataset.finding import Report, plural

WORDS = {"error": "Mend first", "warning": "Worth mending", "note": "Good to know"}
_SIGNS = str.maketrans({sign: f"\\{sign}" for sign in "\\*_[]<>#|"})


def as_markdown(report: Report, name: str) -> str:
    """Headline, counts, findings by severity with their lines, labels. It quotes no row beyond what findings quote."""
    tokens = report.tokens
    lines = [
        f"# Data check: {_plain(name)}",
        "",
        f"{plural(report.rows, 'row')}, read as {report.format.replace('_', ' ')}"
        + (f", {report.encoding}" if report.encoding else "")
        + (f", checked on {report.checked:%d %b %Y}." if report.checked else "."),
        f"{tokens.total:,} tokens in all; half of the rows up to {tokens.p50:,}, 95 of 100 up to {tokens.p95:,}, "
        f"the longest {tokens.max:,} (counted by: {_plain(tokens.tokenizer)}).",
    ]
    if report.sha256:
        lines += ["", f"sha256 of the file: `{report.sha256}`"]
    lines += ["", "## Findings", ""]
    if not report.findings:
        lines.append("No check found anything to mend. No check proves that there is nothing.")
    for found in report.findings:
        words = found.check.replace("_", " ").capitalize()
        lines.append(f"- **{words}** ({found.count:,}). {WORDS[found.severity]}. {_plain(found.message)}")
        if found.fix:
            lines.append(f"  {_plain(found.fix)}")
        if found.rows:
            more = " and more" if found.count > len(found.rows) else ""
            lines.append(f"  Line{'s' if len(found.rows) != 1 else ''} {', '.join(map(str, found.rows))}{more}.")
    if report.labels:
        lines += ["", "## Labels", "", "| label | rows |", "|---|---:|"]
        lines += [f"| {_plain(label)} | {count:,} |" for label, count in report.labels.items()]
    return "\n".join([*lines, ""])


def _plain(text: str) -> str:
    """Text of people on one line, its Markdown signs as they are; code marks stay, as findings quote with them."""
    return " ".join(text.split()).translate(_SIGNS)
