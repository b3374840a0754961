"""Is a model of our own as good as the one that dies? Both on the same rows, with a stated margin.

Where the right answers are known, both are marked against them. Where they are not, all that can be counted is how
often the two say the same: that is agreement and no quality, but a model that nearly always says the same can have
lost next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from backends.rescue.golden import Golden, read_golden, read_replies
from backends.rescue.parity_job import parity_rows
from backends.rescue.tuned_models import days_in_words
from core.errors import BadInput
from core.jobspec import JobSpec
from core.own_files import write_atomically
from core.run_folder import RunFolder
from core.store import JobRecord
from dataset.normalise import keys_of
from dataset.row import Row
from evaluation.kept import MARGIN, Kept, kept, points
from evaluation.metrics import METRICS, Metric, choose_metric, score
from evaluation.parity_labels import asked_rows, right_answers
from evaluation.report import EvaluationReport, JudgedAnswer, read_report
from evaluation.stats import Interval, interval

Verdict = Literal["as_good", "worse", "cannot_tell", "agreement_only"]
VERDICT_WORDS: dict[Verdict, str] = {
    "as_good": "As good as the old model",
    "worse": "Worse than the old model",
    "cannot_tell": "Not enough evidence",
    "agreement_only": "Agreement is known, quality is not",
}


class Side(BaseModel):
    """One of the two models: a row of the table. None where a figure is not known."""

    model_config = ConfigDict(extra="ignore")
    words: str
    quality: Interval | None
    """Against the right answers; None where those are not known."""
    usd_per_1000_calls: float | None
    seconds_per_answer: float | None
    where: str
    """What the time was measured on."""
    lock_in: str
    days_left: str


class Parity(BaseModel):
    """The comparison, kept as `parity-JOB.json` beside the golden set."""

    model_config = ConfigDict(extra="ignore")
    verdict: Verdict
    sentence: str
    reasons: list[str]
    model: str
    train_job: str
    judged_by: str
    """Job that asked the new model."""
    rows: int
    """Rows that both have answered and training has not seen."""
    left_out: int
    """Rows that training has seen."""
    margin: float
    labels: str = ""
    """Where the right answers come from; empty where there are none."""
    labelled: int = 0
    metric: str
    metric_words: str
    quality: Kept | None = None
    """Loss of the new model against the old one, marked against the right answers."""
    agreement: Interval
    """Score of the new model's answers against those of the old one."""
    same: Kept
    """Share of rows on which the two do not say the same."""
    old: Side
    new: Side
    limits: list[str]
    created_at: datetime


def parity(
    record: JobRecord,
    folder: Path,
    *,
    today: date,
    labels: Path | None = None,
    margin: float = MARGIN,
    usd_per_hour: float | None = None,
) -> Parity:
    """Compare the judged answers of `record` with the golden set in `folder`, and keep what came of it.

    `labels` are rows with the right answers; without them those in the file of prompts are taken, where it is unchanged
    and has some. `usd_per_hour` is what the machine of the new model costs. Raises `NotFound` or `BadInput` where there
    is nothing to compare.
    """
    golden = read_golden(folder)
    told = parity_rows(record)
    if told is None:
        raise BadInput(f"`{record.id}` asked nobody a golden set.", "Name the train job.")
    report = read_report(RunFolder.of(record.id).evaluation_file)
    right, source = right_answers(golden, labels)
    found = weigh(
        report,
        golden,
        asked_rows(report),
        right,
        source=source,
        spec=record.spec,
        judged_by=record.id,
        margin=margin,
        usd_per_hour=usd_per_hour,
        today=today,
        cut=sum(reply.truncated for reply in read_replies(folder)),
        not_asked=told.left_out,
        train_job=told.train,
    )
    write_atomically(folder / f"parity-{found.train_job}.json", found.model_dump_json(indent=1))
    return found


def read_parity(folder: Path, train_job: str) -> Parity | None:
    """What came of an earlier comparison; None where there is none that can be read."""
    try:
        return Parity.model_validate_json((folder / f"parity-{train_job}.json").read_bytes())
    except (OSError, ValidationError):
        return None


def weigh(
    report: EvaluationReport,
    golden: Golden,
    rows: dict[int, Row],
    right: dict[str, str],
    *,
    source: str,
    spec: JobSpec,
    train_job: str,
    judged_by: str,
    margin: float,
    today: date,
    usd_per_hour: float | None = None,
    cut: int = 0,
    not_asked: int = 0,
) -> Parity:
    """The comparison itself. `rows` are the judged ones by line, `right` the right answers by the key of the input."""
    honest = [each for each in report.answers if not each.in_training and "tuned" in each.answers]
    if not honest:
        raise BadInput("training has seen every golden row.", "Record the answers to prompts that it has not seen.")
    agreed = [each.scores["tuned"] for each in honest]
    same = _kept([1.0] * len(honest), [float(value == 1.0) for value in agreed], honest, margin, "saying the same")
    keys = dict(zip(rows, keys_of(rows.values()).inputs, strict=True))
    marked = [each for each in honest if keys.get(each.line, "") in right]
    quality, old, new, metric = None, None, None, None
    if marked:
        expected = [right[keys[each.line]] for each in marked]
        metric = choose_metric(spec.metric, expected, spec.task_kind, database=spec.sqlite)
        before = _scores(metric, expected, [each.expected for each in marked], spec)
        after = _scores(metric, expected, [each.answers["tuned"] for each in marked], spec)
        quality = _kept(before, after, marked, margin, f"quality ({METRICS[metric]})")
        old, new = interval(before, spec.seed), interval(after, spec.seed)
    verdict, sentence = _verdict(quality, same, margin)
    seconds = report.seconds_per_answer.get("tuned")
    return Parity(
        verdict=verdict,
        sentence=sentence,
        reasons=[each.sentence for each in (quality,) if each] + [_same_in_words(same)],
        model=golden.model,
        train_job=train_job,
        judged_by=judged_by,
        rows=len(honest),
        left_out=not_asked + len(report.answers) - len(honest),
        margin=margin,
        labels=source if marked else "",
        labelled=len(marked),
        metric=metric or report.metric,
        metric_words=METRICS[metric] if metric else report.metric_words,
        quality=quality,
        agreement=interval(agreed, spec.seed),
        same=same,
        old=Side(
            words=golden.model,
            quality=old,
            usd_per_1000_calls=golden.usd_per_1000_calls,
            seconds_per_answer=golden.seconds_per_answer,
            where=f"over the network, at {golden.host}",
            lock_in="the weights stay with the host",
            days_left=days_in_words(golden.life.days_left(today)),
        ),
        new=Side(
            words=f"{report.base_model.rpartition('/')[2]}, tuned here",
            quality=new,
            usd_per_1000_calls=None if usd_per_hour is None or seconds is None else seconds / 3.6 * usd_per_hour,
            seconds_per_answer=seconds,
            where=f"in batches, on {report.device}",
            lock_in="none: base and adapter are files of yours",
            days_left="no end",
        ),
        limits=_limits(golden, marked, honest, cut, source),
        created_at=datetime.now(UTC),
    )


def _verdict(quality: Kept | None, same: Kept, margin: float) -> tuple[Verdict, str]:
    allowed = points(margin)
    if quality is not None and quality.state == "kept":
        return "as_good", f"The new model is as good as the old one on these rows, give or take {allowed}."
    if quality is not None and quality.state == "lost":
        return "worse", f"The new model is worse than the old one: it loses {points(quality.loss)}."
    if same.state == "kept":
        # A row on which both say the same is right for both or wrong for both.
        return "as_good", (
            f"The two say the same so often that the new model can have lost less than {allowed}, whatever is right."
        )
    if quality is not None:
        return "cannot_tell", f"It is not shown that the new model loses less than {allowed}."
    return "agreement_only", (
        "How often the two agree is known; which of them is right is not. Give the right answers with `--labels`."
    )


def _same_in_words(same: Kept) -> str:
    """Agreement is told as agreement: no word of better or worse."""
    alike = same.n - same.worse
    return f"The two say the same on {alike:,} of {same.n:,} rows; they differ on at most {same.high:.1%} of such rows."


def _kept(
    before: Sequence[float], after: Sequence[float], answers: Sequence[JudgedAnswer], margin: float, words: str
) -> Kept:
    # The axis only matters where a base can be too poor to lose anything, which an old model of one's own is not.
    return kept("new_inputs", before, after, [str(each.line) for each in answers], margin=margin, words=words)


def _scores(metric: Metric, expected: Sequence[str], said: Sequence[str], spec: JobSpec) -> list[float]:
    return [score(metric, want, got, spec.sqlite) for want, got in zip(expected, said, strict=True)]


def _limits(
    golden: Golden, marked: Sequence[JudgedAnswer], honest: Sequence[JudgedAnswer], cut: int, source: str
) -> list[str]:
    found = []
    if marked:
        found.append(
            f"Right answers: {source}, on {len(marked):,} of {len(honest):,} rows. If the old model was tuned on these "
            "rows, its score is flattered, and the comparison is harder on the new one than it should be."
        )
    if golden.temperature is None:
        found.append("The host refused temperature 0: the old model may answer otherwise the next time.")
    if golden.empty:
        refused = f", {golden.refused:,} of them refused by its host" if golden.refused else ""
        found.append(f"The old model gave no word on {golden.empty:,} prompts{refused}: these are left out.")
    for price in golden.prices:
        if str(price.get("item", "")).endswith(".hosting"):
            found.append(f"Beside its calls the old model costs {price['amount']:,} {price['unit']}, used or not.")
    if cut:
        found.append(f"{cut:,} answers of the old model were cut at {golden.max_tokens:,} tokens.")
    found.append("Only what was asked is compared: other inputs, safety and general knowledge are for the judge.")
    found.append("Times are not alike: one is a call over the network, the other a share of a batch on this machine.")
    return found
