"""The rows of a training are read as the spec says."""

from __future__ import annotations

from pathlib import Path

from core.jobspec import JobSpec
from dataset.render import Renderer
from training.rows import load_part


def test_the_prompt_of_the_spec_is_what_the_trainer_sees(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "mail.csv"
    path.write_text("subject,body,team\nLamp,It broke,refund\nParcel,Where is it?,delivery\n")
    spec = JobSpec(dataset=str(path), template="Sort: {subject}. {body}", output="team")
    renderer = Renderer.from_folder(base)
    part = load_part(spec, str(path), renderer, 128)
    seen = [renderer.decode(row.input_ids) for row in part.rows]
    assert ["Sort: Lamp. It broke" in seen[0], "Sort: Parcel. Where is it?" in seen[1]] == [True, True]
    learned = [[label for label in row.labels if label >= 0] for row in part.rows]
    assert [renderer.decode(labels).strip() for labels in learned] == ["refund", "delivery"]
