"""A merged model answers as its adapter did and must be judged again; what cannot be merged is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.base_models import locate
from core.errors import BadInput
from core.home import new_id
from core.jobspec import JobSpec, read_spec
from core.run_folder import RunFolder
from evaluation.judged_model import find_adapter
from training.merge_specs import check_merge_spec, refuse_unmergeable
from training.report import Report

from .conftest import Train, quietly


def test_merged_and_adapter_answer_alike_and_the_merged_one_is_a_base_to_be_judged(
    spec: JobSpec, train: Train, base: Path, validation_file: str
) -> None:
    _, trained = train(spec)
    asked = JobSpec(kind="export", job=trained.job_id, base_model=str(base), validation=validation_file, device="cpu")
    assert check_merge_spec(asked) == []
    folder = RunFolder.create(new_id("job"), asked)
    with quietly():
        from training.merge import run_merge

        result = run_merge(asked, folder, base, Report(folder))
    compared = json.loads((folder.path / "merge.json").read_bytes())
    assert compared["prompts"] == 8 and compared["share_equal"] == 1.0 and compared["dtype"] == "float32"
    assert 0 < compared["largest_logit_difference"] < 1e-3 < compared["largest_logit"]
    merged = folder.path / "merged"
    assert locate(str(merged)).path == merged.resolve()
    assert json.loads((merged / "lineage.json").read_bytes())["merged_from"] == str(trained.adapter)
    from safetensors.torch import load_file

    one, other = (load_file(place / "model.safetensors") for place in (base, merged))
    name = "model.layers.0.self_attn.q_proj.weight"
    assert one.keys() == other.keys() and not one[name].equal(other[name])
    judge = read_spec(folder.path / "judge.yaml")
    assert (judge.kind, judge.base_model, judge.validation) == ("evaluate", str(base), validation_file)
    assert find_adapter(judge) == merged, "the judge takes it in the place of the tuned model"
    assert any("judge it again" in note for note in result.notes) and result.metrics["share_equal"] == 1.0


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"peft_type": "PREFIX_TUNING"}, "learned keys and values stand before every prompt"),
        ({"peft_type": "PROMPT_TUNING"}, "learned tokens stand before every prompt"),
        ({"tuneworthy_form": "BOTTLENECK"}, "its layers bend what passes through them"),
        ({"peft_type": "OFT"}, "not of a kind that is merged"),
    ],
)
def test_what_cannot_be_merged_is_refused_with_the_reason(
    tmp_path: Path, settings: dict[str, str], reason: str
) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps(settings))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    (problem,) = check_merge_spec(JobSpec(kind="export", adapter=str(tmp_path)))
    assert problem.where == "adapter" and reason in problem.what and problem.hint


def test_a_whole_model_needs_no_merging_and_nothing_is_no_adapter(base: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing to merge") as found:
        refuse_unmergeable(base)
    assert "a base model by itself" in found.value.hint
    with pytest.raises(BadInput, match="there is no adapter at"):
        refuse_unmergeable(tmp_path)
    assert check_merge_spec(JobSpec(kind="export"))[0].what == "no adapter is named."
