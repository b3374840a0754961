"""What the local engine says before anything is stored or started."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backends.local import LocalEngine
from core.home import new_id
from core.jobspec import JobSpec
from core.run_folder import RunFolder

Check = Callable[..., dict[str, str]]


@pytest.fixture
def check(training: JobSpec) -> Check:
    """{field: what is wrong with it} of a spec with these fields."""

    def checked(**fields: Any) -> dict[str, str]:
        spec = training.model_copy(update={"test": training.dataset} | fields)
        return {problem.where: str(problem) for problem in LocalEngine().check(spec)}

    return checked


def test_every_path_that_cannot_be_looked_at_is_a_problem_of_its_field(check: Check) -> None:
    long, nobody = "/" + "a" * 300, "~nobody-of-this-name/model"
    found = check(dataset=long, validation=long, test=long, base_model=nobody)
    assert found.keys() == {"dataset", "validation", "test", "base_model"}
    assert all("cannot be used" in words for words in found.values())


@pytest.mark.parametrize(("kind", "field"), [("train", "after"), ("train", "resume_of"), ("evaluate", "job")])
def test_a_job_that_is_named_and_not_here_is_said(kind: str, field: str, check: Check, training: JobSpec) -> None:
    def named(job_id: str) -> dict[str, str]:
        return check(kind=kind, **{field: [job_id] if field == "after" else job_id})

    assert "is not a job id" in named("job-oops")[field]
    assert "no local job" in named(new_id("job"))[field]
    assert named(RunFolder.create(new_id("job"), training).job_id) == {}


def test_an_adapter_that_is_not_there_is_said(check: Check, tmp_path: Path) -> None:
    assert "no adapter at" in check(kind="evaluate", adapter=str(tmp_path))["adapter"]
    assert "cannot be used" in check(kind="evaluate", adapter="~nobody-of-this-name/adapter")["adapter"]
    (tmp_path / "adapter_config.json").write_text("{}")
    assert check(kind="evaluate", adapter=str(tmp_path)) == {}
