"""Ask a classifier in a process of its own: `python -m serving.classify FOLDER [DEVICE]`, texts as JSON in and out.

Pages and the command line ask through `sort_texts`, so that neither ever loads torch or scikit-learn.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from core.errors import BadInput, EngineError, TuneworthyError
from serving.classifier import Sorted, load_classifier

PATIENCE_SECONDS = 120.0
"""Loading the libraries of an encoder takes ten seconds, and more on a busy machine."""
PROJECT_ROOT = Path(__file__).resolve().parent.parent


def sort_texts(folder: Path, texts: Sequence[str]) -> list[Sorted]:
    """What the classifier in `folder` says of each text.

    Raises `BadInput` for a folder that it cannot be opened from, `EngineError` where no answer comes.
    """
    command = [sys.executable, "-m", "serving.classify", str(folder)]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(list(texts)),
            capture_output=True,
            text=True,
            cwd=PROJECT_ROOT,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError("the classifier did not answer.", "Try again when the machine is less busy.") from error
    lines = done.stdout.strip().splitlines()
    try:
        told = json.loads(lines[-1])
    except (IndexError, ValueError) as error:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1][:200]
        raise EngineError(f"the classifier ended without an answer ({last}).", "Judge it to see its log.") from error
    if isinstance(told, dict):
        raise BadInput(told["error"], told["hint"])
    return [Sorted(**each) for each in told]


def main(arguments: list[str]) -> int:
    """Texts from the standard input; prints one line of JSON, last."""
    try:
        classifier = load_classifier(Path(arguments[0]), *arguments[1:2])
        print(json.dumps([asdict(said) for said in classifier.sort(json.loads(sys.stdin.read()))]))
    except TuneworthyError as error:
        print(json.dumps({"error": error.message, "hint": error.hint}))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
