"""The exported script makes the steps that we make, without a line of ours to import."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import BadInput, TuneworthyError
from core.jobspec import JobSpec
from training.script import export_script

from .conftest import Train, losses_of, validation_losses_of

STEP = re.compile(r"^step (\d+) of 15: (validation )?loss ([\d.]+)$", re.MULTILINE)


def test_the_script_finds_the_losses_of_our_own_run(
    spec: JobSpec, train: Train, base: Path, validation_file: str, tmp_path: Path
) -> None:
    method = spec.method.model_copy(update={"dropout": 0.1})
    cut = {"micro_batch": 4, "grad_accumulation": 2, "eval_steps": 2, "validation": validation_file, "method": method}
    asked = spec.model_copy(update=cut)
    _, folder = train(asked)
    away = tmp_path / "away"
    names = {file.name for file in export_script(asked, folder, away)}
    assert names == {"train.py", "rows.jsonl", "validation.jsonl", "requirements.txt"}
    assert not re.search(r"^(from|import) (training|core|dataset)", (away / "train.py").read_text(), re.MULTILINE)
    command = [sys.executable, "train.py", "--base", str(base), "--validation", "validation.jsonl", "--steps", "4"]
    done = subprocess.run(
        command, cwd=away, capture_output=True, text=True, check=False, timeout=100, env=os.environ | {"PYTHONPATH": ""}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = {(int(step), bool(validation)): float(loss) for step, validation, loss in STEP.findall(done.stdout)}
    ours = {(step, False): loss for step, loss in losses_of(folder).items() if step <= 4}
    ours |= {(step, True): loss for step, loss in validation_losses_of(folder).items() if step <= 4}
    assert len(ours) == 6 and found == pytest.approx(ours, rel=1e-2)
    steps = [place for place in ours if not place[1]]  # of validations ours is a mean of means
    assert [found[place] for place in steps] == pytest.approx([ours[place] for place in steps], rel=1e-4)
    assert (away / "adapter" / "adapter_model.safetensors").is_file()
    pinned = (away / "requirements.txt").read_text()
    assert "transformers==" in pinned and "+cpu" not in pinned
    with pytest.raises(BadInput, match="is there already"):
        export_script(asked, folder, away)


def test_the_notebook_holds_the_same_code_and_its_call(spec: JobSpec, validation_file: str, tmp_path: Path) -> None:
    asked = spec.model_copy(update={"validation": validation_file, "name": "Colours"})
    export_script(asked, None, tmp_path / "book", notebook=True)
    book = json.loads((tmp_path / "book" / "train.ipynb").read_bytes())
    cells = ["".join(cell["source"]) for cell in book["cells"]]
    assert [cell["cell_type"] for cell in book["cells"]] == ["markdown", "code", "code", "code"]
    assert cells[0].startswith("# Colours") and cells[1].startswith("%pip install -q torch==")
    compile(cells[2], "cell", "exec")
    assert "'learning_rate': 0.02" in cells[2] and "def epoch_order(" in cells[2] and "__main__" not in cells[2]
    assert cells[3] == 'train(options(["--validation", "validation.jsonl"]))'


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"kind": "evaluate"}, "only a training"),
        ({"method": {"kind": "bottleneck"}}, "the method `bottleneck` has no plain script"),
        ({"method": {"bits": "fp8"}}, "an fp8 base"),
        ({"mix_general": 0.2}, "`mix_general` has no place"),
    ],
)
def test_what_the_script_could_not_repeat_is_refused(
    spec: JobSpec, tmp_path: Path, changed: dict[str, object], reason: str
) -> None:
    asked = JobSpec.model_validate(spec.model_dump() | changed)
    with pytest.raises(TuneworthyError, match=reason):
        export_script(asked, None, tmp_path / "away")
    assert not (tmp_path / "away").exists()
