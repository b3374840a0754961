"""The adapters of ended trainings: lineage, licence, size, scores, quarantine, and what is wrong with them.

The job's folder holds an adapter, `runs/<job>/adapter`; the store holds its name and whether it is archived.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from core.adapter_settings import settings_sha256
from core.errors import BadInput, NotFound, Problem, TuneworthyError
from core.home import run_dir
from core.jobspec import JobSpec
from core.release import Release
from core.run_folder import RunFolder
from core.store import JobRecord, Store
from shelf.classifier_words import Form, form_of, method_words
from shelf.judgements import Judgement, PastVerdict, Score, history, judgements, judgements_of, newest_on_base
from shelf.lineage import Lineage, base_licence, read_lineage
from shelf.quarantine import release_in_force, why
from shelf.tuned_words import settings_words
from shelf.weights import problems_of_folder, size_bytes, weights_sha256

MAX_NAME_CHARACTERS = 120
_MIB = 2**20


class Adapter(BaseModel):
    """Weights with lineage. Its id is the id of the training that made it."""

    model_config = ConfigDict(extra="forbid")
    job_id: str
    name: str
    form: Form = "adapter"
    """An adapter of a language model, or a small classifier: classic or encoder."""
    path: Path
    """Folder with adapter_config.json and adapter_model.safetensors, or with a whole model."""
    archived: bool = False
    training: str
    """How it ended: succeeded; cancelled or failed, where an adapter was left; unknown, where the folder is gone."""
    base_model: str
    base_revision: str | None = None
    """As asked for in the spec: this is what finds the prepared copy."""
    base_commit: str | None = None
    """Commit of the base that it was really trained on, where the hub told one."""
    licence: str | None = None
    """Licence of the base; None where nothing says so."""
    dataset_sha256: str | None = None
    engine: str
    method: str
    """In words: `LoRA rank 16, alpha 32, 3 epochs, seed 7`."""
    spec: JobSpec
    lineage: Lineage | None = None
    """As the training wrote it; None where it wrote none."""
    size_bytes: int
    size_mib: float
    weights_sha256: str | None = None
    """Of the weights as they are now; None where they cannot be read."""
    created_at: datetime
    judged: bool = False
    """True when the newest evaluation judged these very weights."""
    verdict: str | None = None
    judged_by: str | None = None
    """The evaluate job."""
    metric_words: str = ""
    rows: int = 0
    scores: dict[str, Score] = {}
    """{model: score on the task} of that evaluation."""
    quarantined: bool = True
    """False only where the newest verdict on these very weights is ship."""
    quarantine: str = "Nobody has judged it."
    """Why, in one sentence; empty where it is not in quarantine."""
    release: Release | None = None
    """Who let it out of quarantine, and why, where that holds for these weights and their verdict."""
    history: list[PastVerdict] = []
    """All its judgements, the newest first: also of earlier weights, and on other revisions of the base."""
    judgement: Judgement | None = Field(default=None, exclude=True)
    """The newest one of these weights in full."""
    problems: list[Problem] = []
    """What would stop it from being loaded, and what is not known of it."""

    @property
    def usable(self) -> bool:
        """False when something would stop it from being loaded."""
        return not any(problem.severity == "error" for problem in self.problems)

    @property
    def may_leave(self) -> bool:
        """True for what may be exported, or served to others."""
        return not self.quarantined or self.release is not None


def adapters(store: Store, *, archived: bool | None = None) -> list[Adapter]:
    """All adapters, the newest first; only the archived ones, or only the others, if asked."""
    jobs = sorted(store.jobs() + store.jobs(archived=True), key=lambda job: job.created_at, reverse=True)
    judged = judgements(jobs)
    names = store.adapter_names()
    releases = store.releases()
    found = []
    for job in jobs:
        folder = _folder(job, known=job.id in names)
        if folder is None:
            continue
        if job.id not in names:
            names[job.id] = (job.name, False)
            store.point_to_adapter(job.id, job.name, str(_place(job, folder)))
        name, is_archived = names[job.id]
        if archived is None or is_archived == archived:
            released = [each for each in releases if each.job_id == job.id]
            found.append(_adapter(job, folder, name=name, archived=is_archived, judged=judged, releases=released))
    return found


def adapter(store: Store, job_id: str) -> Adapter:
    """The adapter of a training. Raises `NotFound`."""
    for each in adapters(store):
        if each.job_id == job_id:
            return each
    raise NotFound(f"no adapter of the job `{job_id[:60]}`.", "See `tuneworthy shelf`.")


def rename(store: Store, job_id: str, name: str) -> None:
    """Give it another name. Raises `BadInput` for an empty or overlong one, `NotFound`."""
    said = " ".join(name.split())
    if not said or len(said) > MAX_NAME_CHARACTERS:
        raise BadInput(
            f"a name has 1 to {MAX_NAME_CHARACTERS} characters (got {len(said)}).", "Give a short name that says what."
        )
    adapter(store, job_id)  # an adapter that nobody has listed yet has no row to rename
    store.update_adapter(job_id, name=said)


def archive(store: Store, job_id: str, archived: bool = True) -> None:
    """Out of the list, or back into it. Nothing is deleted. Raises `NotFound`."""
    adapter(store, job_id)
    store.update_adapter(job_id, archived=archived)


def _folder(job: JobRecord, *, known: bool) -> RunFolder | None:
    """The folder of an ended training that left, or says that it left, an adapter.

    A `known` adapter whose folder somebody deleted by hand is still listed, so that its name can be cleared away.
    """
    if job.kind != "train" or job.engine == "openai":  # what a managed host made stays at the host
        return None
    try:
        folder = RunFolder(run_dir(job.id))
        outcome = folder.outcome()
        if outcome is None:
            return folder if known and not folder.path.exists() else None
    except (TuneworthyError, OSError):
        return None
    left = outcome.result.adapter or outcome.result.classifier
    return folder if known or left or _place(job, folder).is_dir() else None


def _place(job: JobRecord, folder: RunFolder) -> Path:
    """Where a training leaves what it made."""
    return folder.adapter if form_of(job.spec) == "adapter" else folder.classifier


def _adapter(
    job: JobRecord,
    folder: RunFolder,
    *,
    name: str,
    archived: bool,
    judged: list[Judgement],
    releases: list[Release],
) -> Adapter:
    outcome = folder.outcome()
    form, place = form_of(job.spec), _place(job, folder)
    problems = problems_of_folder(place)
    lineage = None
    try:
        lineage = read_lineage(folder.path)
    except BadInput as error:
        problems.append(error.problems()[0].model_copy(update={"severity": "warning"}))
    told = lineage or Lineage()
    spec = job.spec
    # The classic form starts from nothing; the base of a spec is only whom a classifier is held against.
    own_base = {"adapter": spec.base_model, "encoder": spec.encoder or "", "classic": ""}[form]
    base_model = told.base_model or own_base
    weights, settings = weights_sha256(place), settings_sha256(place)
    mine = judgements_of(job.id, place, judged)
    newest = newest_on_base(mine, (spec.base_revision, told.base_revision) if form == "adapter" else ())
    retrained = newest is not None and _retrained(weights, newest)
    stale = retrained or (newest is not None and not newest.of_settings(settings))
    judgement = None if stale else newest
    quarantine = why(newest, weights, settings)
    if stale:
        problems.append(
            Problem(
                what="it was trained on after it was judged."
                if retrained
                else "its settings have changed since it was judged.",
                hint="Judge it again.",
                severity="warning",
            )
        )
    size = size_bytes(place)
    return Adapter(
        job_id=job.id,
        name=name,
        form=form,
        path=place,
        archived=archived,
        training=outcome.state if outcome else "unknown",
        base_model=base_model,
        base_revision=spec.base_revision,
        base_commit=told.base_revision,
        licence=told.base_licence or (base_licence(base_model, spec.base_revision) if base_model else None),
        dataset_sha256=told.dataset_sha256 or spec.dataset_sha256,
        engine=job.engine,
        method=_method(spec),
        spec=spec,
        lineage=lineage,
        size_bytes=size,
        size_mib=round(size / _MIB, 1),
        weights_sha256=weights,
        created_at=told.created_at or (outcome.at if outcome else job.created_at),
        quarantined=bool(quarantine),
        quarantine=quarantine,
        release=release_in_force(releases, weights, judgement) if quarantine else None,
        history=history(mine, weights, settings),
        judgement=judgement,
        problems=problems,
        **({} if judgement is None else _worth(judgement)),
    )


def _worth(judgement: Judgement) -> dict[str, object]:
    return {
        "judged": True,
        "verdict": judgement.verdict,
        "judged_by": judgement.job_id,
        "metric_words": judgement.metric_words,
        "rows": judgement.rows,
        "scores": judgement.scores,
    }


def _retrained(now: str | None, judgement: Judgement) -> bool:
    """True when these are surely not the weights that were judged: a resumed training writes over its adapter."""
    return now is not None and judgement.adapter_sha256 not in (None, now)


def _method(spec: JobSpec) -> str:
    if form_of(spec) != "adapter":
        return method_words(spec)
    words = settings_words(spec)
    epochs = f"{spec.epochs:g} epoch{'s' if spec.epochs != 1 else ''}"
    return f"{words}, {epochs}, learning rate {spec.learning_rate:g}, seed {spec.seed}"
