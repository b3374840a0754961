"""A train job whose result is a small classifier: `learner: classic` or `encoder`, on the rows of any other train job.

In the run folder it leaves `classifier/` and `lineage.json`. The classic form is fitted in seconds and has no steps.
"""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

from core.errors import BadInput, ProblemsFound
from core.job import Measured, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from serving.classic_classifier import ClassicClassifier, save_classic
from serving.classifier import Classifier, ClassifierCard
from training.classifier_lineage import classifier_lineage
from training.disk import disk_full_explained, require_free_bytes
from training.labelled import Labelled, load_labelled, refuse_unfit
from training.lineage import write_lineage
from training.measure import peak_memory_gib, working_seconds
from training.prepare import prepare_base
from training.report import Report
from training.specs import check_train_spec
from training.stop import AbruptEnd, Stop, Stopped


def run_classifier(spec: JobSpec, folder: RunFolder, report: Report, stop: Stop, abrupt: AbruptEnd) -> Result:
    """Train the classifier that the spec names.

    Raises `Stopped` once a stop was asked (nothing is kept, a resumed job begins anew), `BadInput` for rows, settings
    or encoders that cannot be used, `Refused` for a changed training file, `StoreError` for a full disk.
    """
    if problems := [problem for problem in check_train_spec(spec) if problem.severity == "error"]:
        raise ProblemsFound(problems)
    with disk_full_explained(folder.path):
        with abrupt.allowed():
            report.stage("Reading the rows")
            if spec.dataset is None:
                raise BadInput("no training rows are given.", "Set `dataset`.")
            train = load_labelled(spec, spec.dataset)
            refuse_unfit(spec, train)
            validation = load_labelled(spec, spec.validation) if spec.validation else None
            notes = _notes(train, validation)
            for note in notes:
                report.warning(note)
            shutil.rmtree(folder.classifier, ignore_errors=True)  # of an earlier try, perhaps half of it
        make = _encoder if spec.learner == "encoder" else _classic
        return make(spec, folder, train, validation, notes, report, stop, abrupt)


def _classic(  # all that the job has
    spec: JobSpec,
    folder: RunFolder,
    train: Labelled,
    validation: Labelled | None,
    notes: list[str],
    report: Report,
    stop: Stop,
    abrupt: AbruptEnd,
) -> Result:
    from training.classic import fit_classic

    with abrupt.allowed():
        report.stage("Fitting the classifier")
        began = time.monotonic()
        fitted = fit_classic(train.texts, train.labels, spec.seed)
        report.log(f"{len(train.texts)} rows, {len(train.names)} labels, in {time.monotonic() - began:.1f} s")
        if not fitted.settled:
            notes.append("The fit was ended before it came to rest: more passes would change it a little.")
        metrics: dict[str, float] = {}
        if validation is not None:
            metrics["validation_score"] = _share_right(ClassicClassifier(fitted.card, fitted.weights), validation)
        report.stage("Saving the classifier")
        require_free_bytes(folder.path, 2 * sum(array.nbytes for array in fitted.weights.values()), "TUNEWORTHY_HOME")
        save_classic(folder.classifier, fitted.card, fitted.weights)
        write_lineage(classifier_lineage(spec, "classic", train, validation), folder.path, folder.classifier)
    return _result(folder, train, metrics, notes, device="cpu")


def _encoder(  # all that the job has
    spec: JobSpec,
    folder: RunFolder,
    train: Labelled,
    validation: Labelled | None,
    notes: list[str],
    report: Report,
    stop: Stop,
    abrupt: AbruptEnd,
) -> Result:
    with abrupt.allowed():
        place = prepare_base(spec.encoder or "", None, report, allow_network=spec.allow_network)
        report.stage("Loading the encoder")
        from training.encoder import EncoderTuning

        tuning = EncoderTuning(spec, place, train, validation, report)
        if tuning.cut:
            notes.append(f"{tuning.cut} of {len(train.texts)} training rows were cut to {tuning.max_tokens} tokens.")
        report.log(
            f"{len(train.texts)} rows, {len(train.names)} labels; {tuning.total} steps of {tuning.batch} x "
            f"{spec.grad_accumulation} rows on {tuning.device}"
        )
        weights = sum(weight.numel() for weight in tuning.model.parameters())
        require_free_bytes(folder.path, 2 * 4 * weights, "TUNEWORTHY_HOME")
    report.stage("Training")
    if not tuning.run(stop):
        raise Stopped(Result(notes=[*notes, "Stopped before its end: nothing is kept, and a resumed job begins anew."]))
    report.stage("Saving the classifier")
    _save_encoder(folder.classifier, tuning.model, tuning.tokenizer, tuning.labels, tuning.max_tokens)
    lineage = classifier_lineage(
        spec, "encoder", train, validation, encoder=place, cut=tuning.cut, step=tuning.kept_step
    )
    write_lineage(lineage, folder.path, folder.classifier)
    metrics = {
        "steps": float(tuning.steps),
        "adapter_step": float(tuning.kept_step),
        "first_loss": tuning.losses[0],
        "train_loss": sum(tuning.losses[-20:]) / len(tuning.losses[-20:]),
        "weights": float(weights),
    }
    if tuning.kept_validation is not None:
        metrics["validation_loss"], metrics["validation_score"] = tuning.kept_validation
        notes.append(f"The weights are those of step {tuning.kept_step}, with the lowest validation loss.")
    if tuning.stopped_early:
        notes.append(f"Stopped early at step {tuning.steps}: {spec.early_stopping} validations without a gain.")
    speed = tuning.tokens / tuning.step_seconds if tuning.step_seconds else None
    return _result(folder, train, metrics, notes, device=tuning.device, tokens_per_second=speed)


def _save_encoder(folder: Path, model: object, tokenizer: object, labels: list[str], max_tokens: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder, safe_serialization=True)  # type: ignore[attr-defined]
    tokenizer.save_pretrained(folder)  # type: ignore[attr-defined]
    ClassifierCard(version=1, form="encoder", labels=labels, max_tokens=max_tokens).save(folder)


def _share_right(classifier: Classifier, part: Labelled) -> float:
    said = classifier.sort(part.texts)
    return sum(one.label == label for one, label in zip(said, part.labels, strict=True)) / len(part.texts)


def _notes(train: Labelled, validation: Labelled | None) -> list[str]:
    found = []
    for name, part in (("training", train), ("validation", validation)):
        if part is not None and part.left_out:
            found.append(f"{part.left_out} {name} rows have no text or no label, and were left out.")
    odd = sorted(set(validation.labels) - set(train.labels)) if validation is not None else []
    if odd:
        found.append(f"{len(odd)} labels of the validation rows stand in no training row, so they cannot be learned.")
    return found


def _result(
    folder: RunFolder,
    train: Labelled,
    metrics: dict[str, float],
    notes: list[str],
    *,
    device: str,
    tokens_per_second: float | None = None,
) -> Result:
    rows = {"rows": float(len(train.texts)), "rows_left_out": float(train.left_out), "labels": float(len(train.names))}
    return Result(
        classifier=str(folder.classifier),
        metrics=rows | metrics,
        measured=Measured(
            memory_gib=round(peak_memory_gib(device), 3),
            seconds=round(working_seconds(folder.events(), datetime.now(UTC)), 1),
            tokens_per_second=round(tokens_per_second, 1) if tokens_per_second else None,
        ),
        notes=notes,
    )
