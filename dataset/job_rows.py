"""The rows that a job names, read as its spec says: what is trained and judged is what was looked at."""

from __future__ import annotations

from pathlib import Path

from core.jobspec import JobSpec
from dataset.read import read
from dataset.understood import Dataset


def read_for_job(spec: JobSpec, path: str) -> Dataset:
    """The rows of `path`, one of the spec's files. Raises `NotFound`, or `BadInput` where no row can be read."""
    return read(
        Path(path),
        inputs=spec.inputs,
        output=spec.output,
        records=spec.records,
        system_prompt=spec.system_prompt,
        template=spec.template,
    ).usable()
