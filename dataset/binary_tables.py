"""Parquet and Excel, turned into JSON Lines by a process of its own with a cap on memory, time and disk.

A file made to hurt (a sheet with one cell in its last corner, a page that swells a thousandfold) ends that process and
not the one that shows the page.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from core.errors import BadInput

MAX_SECONDS = 600
_PACKAGES = {"parquet": ("pyarrow", "pyarrow"), "xlsx": ("python_calamine", "python-calamine")}
_WORDS = {"parquet": "Parquet", "xlsx": "Excel"}


def convert(kind: str, source: Path, target: Path, *, name: str, max_bytes: int) -> str:
    """Write the rows of `source` (`parquet` or `xlsx`) to `target`, each on the line of its row; returns a note.

    Raises `BadInput` where the reader's package is missing, or the file is broken, too large or without rows.
    """
    module, package = _PACKAGES[kind]
    word = _WORDS[kind]
    if find_spec(module) is None:
        raise BadInput(
            f"is {'an' if kind == 'xlsx' else 'a'} {word} file, which needs the package {package}.",
            f"Install it with `pip install {package}`, or save the table as CSV.",
            file=name,
        )
    root = str(Path(__file__).parents[1])
    paths = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    # The plain allocator is the one that the cap on memory is felt by at once.
    settings = {**os.environ, "PYTHONPATH": paths, "ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "dataset.binary_rows", kind, str(source), str(target), str(max_bytes)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=MAX_SECONDS,
            check=False,
            env=settings,
        )
    except subprocess.TimeoutExpired as error:
        raise BadInput(f"takes more than {MAX_SECONDS} seconds to read.", "Save it as CSV.", file=name) from error
    try:
        said = json.loads(done.stdout)
        problem, hint, note = str(said["problem"]), str(said["hint"]), str(said["note"])
    except (ValueError, KeyError, TypeError) as error:  # it was ended before it could say anything
        hint = "Save it as CSV or JSON Lines."
        raise BadInput(f"is a broken {word} file, or takes too much memory.", hint, file=name) from error
    if problem:
        raise BadInput(problem, hint, file=name)
    return note
