"""What was understood of a file: its make, its rows, and what was noticed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import BadInput
from dataset.finding import Finding
from dataset.preference import FORMAT as PREFERENCE
from dataset.row import Row


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was understood of a file."""

    path: Path
    name: str
    """What the file is called in messages."""
    sha256: str
    encoding: str
    format: str
    """openai_chat, sharegpt, prompt_completion, instruction, question_answer, text_label, input_output, preference,
    csv, tsv, parquet, xlsx, json (with chosen columns) or unknown."""
    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    """Names that can be chosen as inputs and output."""
    inputs: tuple[str, ...] = ()
    """Input columns that were used; empty for chats."""
    output: str | None = None
    records: str | None = None
    """Where in a nested document the rows were found."""
    findings: tuple[Finding, ...] = ()
    """What was noticed in reading: bad_line, encoding, unknown_format, text_only."""

    def usable(self, *, pairs: bool = False) -> Dataset:
        """This data set, to learn from. Raises `BadInput` where no row could be read, and for preference pairs.

        `pairs`: pairs will do, their chosen answers being the answers.
        """
        if self.format == PREFERENCE and not pairs:
            raise BadInput(
                "holds preference pairs (a chosen and a rejected answer), which are not trained on as they are.",
                "Set `objective: dpo` to learn from them, or keep the chosen answers alone, one example a row.",
                file=self.name,
            )
        if self.rows:
            return self
        first = self.findings[0] if self.findings else None
        raise BadInput(first.message if first else "has no rows.", first.fix if first else "", file=self.name)
