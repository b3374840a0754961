"""Where a classifier comes from, written beside it: enough to make it again, and to know what it is bound by."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from core.jobspec import JobSpec
from serving.classifier import Form
from training.labelled import Labelled
from training.lineage import library_versions
from training.prepare import read_ready_card, weights_sha256


class ClassifierLineage(BaseModel):
    """`lineage.json` of a classifier. The shelf reads it as it reads an adapter's."""

    model_config = ConfigDict(extra="forbid")
    form: Form
    base_model: str | None
    """The encoder as the spec names it; None for the classic form, which starts from nothing."""
    base_revision: str | None
    base_licence: str | None
    base_sha256: dict[str, str]
    """Of each weight file of the encoder."""
    dataset: str
    dataset_sha256: str
    dataset_rows: int
    rows_cut: int
    rows_left_out: int
    labels: int
    validation: str | None
    validation_sha256: str | None
    validation_rows: int
    spec: JobSpec
    engine: str
    seed: int
    step: int
    """Step of the weights that were kept; 0 for the classic form, which has no steps."""
    versions: dict[str, str]
    created_at: datetime


def classifier_lineage(
    spec: JobSpec,
    form: Form,
    train: Labelled,
    validation: Labelled | None,
    *,
    encoder: Path | None = None,
    cut: int = 0,
    step: int = 0,
) -> ClassifierLineage:
    """The lineage of a classifier made just now; `encoder` is the folder of what it started from."""
    card = read_ready_card(encoder) if encoder else None
    return ClassifierLineage(
        form=form,
        base_model=spec.encoder if encoder else None,
        base_revision=card.revision if card else None,
        base_licence=card.licence if card and card.licence != "unknown" else None,
        base_sha256=card.sha256 if card else weights_sha256(encoder) if encoder else {},
        dataset=train.path,
        dataset_sha256=train.sha256,
        dataset_rows=len(train.texts),
        rows_cut=cut,
        rows_left_out=train.left_out,
        labels=len(train.names),
        validation=validation.path if validation else None,
        validation_sha256=validation.sha256 if validation else None,
        validation_rows=len(validation.texts) if validation else 0,
        spec=spec,
        engine=spec.engine,
        seed=spec.seed,
        step=step,
        versions=library_versions("scikit-learn", "numpy"),
        created_at=datetime.now(UTC),
    )
