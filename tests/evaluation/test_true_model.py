"""The judge with the true SmolLM2: few rows, real words."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from core.home import new_id
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from evaluation.report import EvaluationReport, read_report

# peft 0.21 asks transformers 5.23 a question under its old name.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")]

CAPITALS = {
    "Italy": "Rome",
    "Germany": "Berlin",
    "England": "London",
    "Portugal": "Lisbon",
    "Russia": "Moscow",
    "Egypt": "Cairo",
}
ASKED = {"France": "Paris", "Spain": "Madrid", "Japan": "Tokyo"}


@pytest.fixture
def inert_adapter(true_base: Path, tmp_path: Path) -> Path:
    """LoRA as it is before the first step: its second matrix is zero, so it changes nothing."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        config = LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM")
        get_peft_model(AutoModelForCausalLM.from_pretrained(true_base), config).save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def write_rows(path: Path, capitals: dict[str, str]) -> str:
    rows: list[dict[str, Any]] = [
        {"prompt": f"What is the capital of {country}?", "completion": city} for country, city in capitals.items()
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_the_true_model_is_judged_on_three_rows(inert_adapter: Path, tmp_path: Path) -> None:
    from evaluation.run import run_evaluation

    spec = JobSpec(
        kind="evaluate",
        device="cpu",
        dataset=write_rows(tmp_path / "train.jsonl", CAPITALS),
        test=write_rows(tmp_path / "test.jsonl", ASKED),
        adapter=str(inert_adapter),
        n=12,
    )
    folder = RunFolder.create(new_id("job"), spec)
    run_evaluation(spec, folder, lambda: False)
    report: EvaluationReport = read_report(folder.evaluation_file)
    # Told by examples to answer in a word, it does; asked plainly, it talks.
    assert report.models["best_prompt"]["task"].score == 1.0
    assert report.prompt is not None and report.prompt.mean_tokens > report.prompt.base_mean_tokens
    assert all(row.answers["tuned"] == row.answers["base"] for row in report.answers)
    assert report.paired["tuned_vs_base"].sentence == "the same on all 3 rows"
    assert report.verdict == "not_enough_evidence" and "only 3 rows" in report.reasons[0]
    # On a dozen questions an axis, an adapter that changes nothing has lost nothing, and no more is claimed.
    assert report.models["base"]["knowledge"].score > 0.4
    for axis in ("knowledge", "safety", "over_refusal", "bias"):
        found = report.axes[axis].kept
        assert found is not None and (found.loss, found.better, found.worse) == (0.0, 0, 0)
        assert found.state == "cannot_tell"
    assert all(seconds > 0 for seconds in report.seconds_per_answer.values())
