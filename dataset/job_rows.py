"""The rows that a job names, read as its spec says: what is trained and judged is what was looked at."""

from __future__ import annotations

from pathlib import Path

from core.errors import BadInput
from core.jobspec import JobSpec
from dataset.preference import FORMAT as PREFERENCE
from dataset.read import read
from dataset.understood import Dataset


def read_for_job(spec: JobSpec, path: str) -> Dataset:
    """The rows of `path`, one of the spec's files. Raises `NotFound`, or `BadInput` where no row can be read.

    A preference training learns from pairs only, a plain one from none; all else takes the chosen answers of pairs.
    """
    found = read(
        Path(path),
        inputs=spec.inputs,
        output=spec.output,
        records=spec.records,
        system_prompt=spec.system_prompt,
        template=spec.template,
    )
    prefers = spec.objective == "dpo"
    if spec.kind == "train" and prefers and found.rows and found.format != PREFERENCE:
        raise BadInput(
            "holds no preference pairs, which `objective: dpo` learns from.",
            "Give each row a prompt, a chosen and a rejected answer (and no `inputs`, `output` or `template`), or set "
            "`objective: sft`.",
            file=found.name,
        )
    return found.usable(pairs=prefers or spec.kind != "train")
