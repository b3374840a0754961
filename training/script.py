"""A training as a plain script or notebook that runs without us: on a cluster, on a rented notebook, next year.

The rows go with it as token ids and labels, so template, cut and loss mask are those of the job. No torch here.
"""

from __future__ import annotations

import json
import pprint
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.base_models import locate
from core.errors import BadInput, BaseModelUnavailable, StoreError
from core.jobspec import JobSpec
from core.paths import typed_path
from core.run_folder import RunFolder
from dataset.render import Renderer
from training.lineage import base_name
from training.plan import TrainingPlan, make_plan
from training.report import Report
from training.rows import Part, load_part

ROOM = Path(__file__).parent
BEGIN, END = "# settings: begin\n", "# settings: end\n"
ORDER_IMPORT = "from training.row_order import epoch_order\n"
METHODS = ("lora", "ia3", "full")
NEEDS = ("torch", "transformers", "peft", "accelerate", "safetensors")


def export_script(spec: JobSpec, folder: RunFolder | None, target: Path, *, notebook: bool = False) -> list[Path]:
    """Write `train.py` (or `train.ipynb`), the rows and `requirements.txt` into the new folder `target`.

    `folder` is the job's, where it has run: then the cut into steps is the one that it had. Raises `BadInput` for what
    the script cannot do and for a folder that is there already, `BaseModelUnavailable` where the base is not here,
    and what reading the rows raises.
    """
    refuse_inexpressible(spec)
    target = typed_path(str(target)).absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadInput(f"{target} is there already.", "Name a folder that is not there yet.")
    base = locate(spec.base_model, spec.base_revision).path
    if base is None:
        raise BaseModelUnavailable(f"{spec.base_model} is not on this machine.", "Run a `prepare` job first.")
    renderer = Renderer.from_folder(base)
    train = load_part(spec, str(spec.dataset), renderer, spec.max_tokens)
    files = {"rows.jsonl": _rows(train)}
    if spec.validation:
        files["validation.jsonl"] = _rows(load_part(spec, spec.validation, renderer, spec.max_tokens))
    plan = _plan(spec, folder, base, train)
    code = script_text(settings_of(spec, plan, base))
    files |= {"train.ipynb": notebook_text(code, spec)} if notebook else {"train.py": code}
    files["requirements.txt"] = "".join(f"{line}\n" for line in _requirements(spec))
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (target / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"cannot write {target} ({error.strerror}).", "Name a folder that you may write.") from error
    return [target / name for name in files]


def refuse_inexpressible(spec: JobSpec) -> None:
    """Raise `BadInput` with the reason for a job that the plain script could not repeat."""
    if spec.kind != "train" or spec.dataset is None:
        raise BadInput("only a training with rows becomes a script.", "Name a train job.")
    if spec.learner != "llm":
        raise BadInput("a classifier is no training of a language model.", "Name a job that tunes one.")
    method = spec.method
    if method.kind not in METHODS:
        raise BadInput(
            f"the method `{method.kind}` has no plain script: it needs code of ours in every step.",
            f"Scripts are written for {', '.join(METHODS)}.",
        )
    if method.bits == "fp8":
        raise BadInput("an fp8 base is computed with by code of ours.", "Use `bits: '16'`, then export it.")
    sft = {"objective": "sft", "mix_general": 0.0, "mix_safety": 0.0, "neftune_alpha": None, "packing": False}
    for name, off in sft.items():
        if getattr(spec, name, off) != off:
            raise BadInput(f"`{name}` has no place in the plain script.", "Leave it out, then export it.")


def settings_of(spec: JobSpec, plan: TrainingPlan, base: Path) -> dict[str, Any]:
    """All that the script must know, as plain values."""
    method = spec.method
    lora: dict[str, Any] = {"r": method.rank, "lora_alpha": method.alpha, "lora_dropout": method.dropout}
    lora |= {"target_modules": method.targets, "use_rslora": method.rslora, "use_dora": method.dora}
    return {
        "name": spec.name,
        "base_model": base_name(spec, base)[0],
        "base_revision": base_name(spec, base)[1],
        "method": method.kind,
        "bits": method.bits,
        "lora": lora if method.kind == "lora" else {},
        "epochs": spec.epochs,
        "learning_rate": spec.learning_rate,
        "warmup_ratio": spec.warmup_ratio,
        "weight_decay": spec.weight_decay,
        "seed": spec.seed,
        "precision": plan.precision,
        "micro_batch": plan.micro_batch,
        "step_rows": plan.step_rows,
        "grad_checkpointing": plan.grad_checkpointing,
        "eval_steps": plan.eval_steps,
        "early_stopping": spec.early_stopping,
        "pad_id": 0,  # masked, so any token will do
    }


def script_text(settings: dict[str, Any]) -> str:
    """The script with its settings in it, and without a word of ours that it would have to import."""
    text = (ROOM / "standalone.py").read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    told = f"SETTINGS: dict[str, Any] = {pprint.pformat(settings, sort_dicts=False, width=100)}\n"
    order = (ROOM / "row_order.py").read_text(encoding="utf-8").partition("from collections.abc import Sequence\n")[2]
    imports = "import random\nfrom collections.abc import Sequence\n"
    head = before.replace(ORDER_IMPORT, "").replace("import math\n", f"import math\n{imports}", 1).rstrip()
    constants, first, functions = after.partition("def read_rows")
    return f"{head}\n\n{told}{constants}{order.strip()}\n\n\n{first}{functions}"


def notebook_text(code: str, spec: JobSpec) -> str:
    """The script in cells: what it is, what it needs, its code, and the call."""
    body = code.partition('if __name__ == "__main__":')[0].rstrip()
    base = spec.validation and '"--validation", "validation.jsonl"'
    call = f"train(options([{base or ''}]))"
    cells = [
        _cell("markdown", f"# {spec.name or 'Training'}\n\nPut rows.jsonl beside this notebook, then run all cells."),
        _cell("code", f"%pip install -q {' '.join(_requirements(spec))}"),
        _cell("code", body),
        _cell("code", call),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    told = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": text.splitlines(keepends=True)}
    return cell | {"execution_count": None, "outputs": []} if kind == "code" else cell


def _rows(part: Part) -> str:
    return "".join(json.dumps({"input_ids": row.input_ids, "labels": row.labels}) + "\n" for row in part.rows)


def _plan(spec: JobSpec, folder: RunFolder | None, base: Path, train: Part) -> TrainingPlan:
    if folder is not None:
        try:
            return TrainingPlan.model_validate_json((folder.path / "plan.json").read_bytes())
        except (OSError, ValidationError):
            pass  # it has not begun: the plan is made now, as it would make it
    return make_plan(spec, base, train, Report())


def _requirements(spec: JobSpec) -> list[str]:
    """With the versions that are installed here, of which the script is known to work."""
    names = (*NEEDS, "bitsandbytes") if spec.method.bits in ("4", "8") else NEEDS
    found = []
    for name in names:
        try:
            found.append(f"{name}=={version(name).partition('+')[0]}")
        except PackageNotFoundError:
            found.append(name)
    return found
