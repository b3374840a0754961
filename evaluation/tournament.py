"""Tournament before tuning: which prompt is best on the team's own held-out rows? Runs in a worker process.

Tuning has to beat the best prompt, not the bare base. What was answered is kept by content hash, so that after a
crash, a cancel or a host that failed nothing is asked twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from core.errors import BadInput, ProblemsFound, Refused
from core.job import Measured, Result
from core.jobspec import JobSpec, check_evaluate_spec
from core.paths import typed_path
from core.run_folder import RunFolder
from dataset.row import Row
from evaluation.answering import Progress, Stopped
from evaluation.askers import Asker, Constrain, EndpointAsker, OpenModel, asker_of, constrained
from evaluation.classic import classify, is_label_task
from evaluation.endpoint import SchemaRefused
from evaluation.endpoint_cache import Reply
from evaluation.judged_model import open_local
from evaluation.metrics import METRICS, Metric, choose_metric, infer_schema, read_schema, schema_valid, score, token_f1
from evaluation.noise import DecodingNoise, decoding_noise, rows_again
from evaluation.report import JudgedAnswer
from evaluation.rows import JudgedRows, judged_rows
from evaluation.rungs import Ladder, Rung, mostly_json
from evaluation.stats import Interval, interval
from evaluation.tournament_report import FILE, RungReport, ShotsTried, TournamentReport
from evaluation.tournament_words import limits, winner


def run_tournament(
    spec: JobSpec,
    folder: RunFolder,
    should_stop: Callable[[], bool],
    open_model: OpenModel = open_local,
    constrain: Constrain = constrained,
) -> Result:
    """Ask every rung and leave the report in the folder's `tournament.json`.

    When `should_stop` turns true it returns early, without a report: the answers so far are kept. Raises errors of
    `core.errors` for what cannot be asked.
    """
    started = time.monotonic()
    if problems := check_evaluate_spec(spec):
        raise ProblemsFound(problems)
    progress = Progress(folder, 1)
    progress.stage("reading the rows")
    rows = judged_rows(spec)
    if not rows.honest:
        raise BadInput("every held-out row stands in training.", "Split the rows anew.", file=str(rows.test_file))
    held = _Held(spec, rows)
    try:
        asker, question_tokens, device = asker_of(spec, rows, progress, should_stop, open_model, constrain)
        report = _play(held, asker, progress, question_tokens=question_tokens, device=device)
    except Stopped:
        return Result(notes=["Stopped before the end. The answers so far are kept."])
    report.save(folder.path / FILE)
    return Result(
        metrics={f"{rung.name}_score": rung.score.score for rung in report.rungs},
        measured=Measured(seconds=time.monotonic() - started),
        notes=[report.sentence],
    )


class _Held:
    """The rows of a tournament, how answers to them are marked, and the rungs that they allow."""

    def __init__(self, spec: JobSpec, rows: JudgedRows) -> None:
        self.spec = spec
        self.rows = rows
        self.test = [rows.test[at] for at in rows.honest]
        database = spec.sqlite
        self.metric: Metric = choose_metric(
            spec.metric, [row.answer for row in rows.test], spec.task_kind, database=database
        )
        self.schema = schema_of(spec, rows.train)
        self.ladder = Ladder(rows.train, self.schema)

    def scores(self, asked: Sequence[Row], replies: Sequence[Reply]) -> list[float]:
        """A score a row."""
        pairs = zip(asked, replies, strict=True)
        return [score(self.metric, row.answer, reply.text, self.spec.sqlite) for row, reply in pairs]

    def classic(self) -> Interval | None:
        """The classifier of a label task on the same rows; None for another task."""
        known = self.rows.train if self.rows.chosen_on_validation else [*self.rows.train, *self.rows.selection]
        if not is_label_task([row.answer for row in known]):
            return None
        pairs = [(row.user_text, row.answer) for row in known]
        said = zip(self.test, classify(pairs, [row.user_text for row in self.test], self.spec.seed), strict=True)
        scores = [score(self.metric, row.answer, label, self.spec.sqlite) for row, label in said]
        return interval(scores, self.spec.seed)


def schema_of(spec: JobSpec, train: Sequence[Row]) -> dict[str, Any] | None:
    """The JSON schema of the answers: as given, or read off the training answers where nine of ten are JSON."""
    if spec.json_schema:
        return read_schema(typed_path(spec.json_schema))
    answers = [row.answer for row in train]
    return infer_schema(answers) if mostly_json(answers) else None


def _play(
    held: _Held, asker: Asker, progress: Progress, *, question_tokens: float | None, device: str
) -> TournamentReport:
    """Every rung in turn. Raises `Stopped`."""
    ladder, test = held.ladder, held.test
    shots = ladder.few_shots()
    selection = held.rows.selection if len(shots) > 1 else []
    rungs_at_most = 1 + 2 * bool(shots) + (held.schema is not None)
    places = rows_again(range(len(test)), "quick", held.spec.seed)
    progress.total = len(test) * rungs_at_most + len(selection) * len(shots) + len(places)
    tried = [_try(held, asker, progress, rung) for rung in shots] if selection else []
    best_shots = max(tried, key=lambda one: (one.score, one.token_f1, -one.shots)).shots if tried else 0
    few = next((rung for rung in shots if rung.shots == best_shots), shots[0] if shots else None)
    zero = ladder.zero_shot()
    wanted = [zero, few, ladder.retrieval(few.shots) if few else None, ladder.constrained(few or zero)]
    left_out = {} if shots else {"few_shot": "There are fewer than two training rows.", "retrieval": "As few-shot."}
    if held.schema is None:
        left_out["constrained"] = "The answers are not JSON, and no schema is given."
    replies: dict[Rung, list[Reply]] = {}
    spent = 0.0
    for rung in [rung for rung in wanted if rung is not None]:
        budget = held.spec.budget_usd
        if budget is not None and spent >= budget > 0:
            left_out[rung.name] = f"The budget of ${budget:,.2f} was used up."
            continue
        progress.stage(f"asking: {rung.words}")
        try:
            replies[rung] = asker.ask(ladder.prompts(rung, test), rung.schema)
        except (Refused, BadInput, SchemaRefused) as error:
            if rung.schema is None:
                raise
            left_out[rung.name] = str(error)
            progress.folder.emit("warning", f"Left out: {rung.words}. {error}")
            continue
        spent += (
            sum(asker.usd_per_1000_calls(one.prompt_tokens, one.answer_tokens) or 0 for one in replies[rung]) / 1000
        )
    again: dict[int, Reply] = {}
    if zero in replies and not (held.spec.budget_usd and spent >= held.spec.budget_usd):
        progress.stage("asking again: zero-shot")
        asked = asker.ask(ladder.prompts(zero, [test[at] for at in places]), repeat=1)
        again = dict(zip(places, asked, strict=True))
    progress.stage("weighing the evidence")
    return _report(held, asker, replies, tried, left_out, again, question_tokens=question_tokens, device=device)


def _try(held: _Held, asker: Asker, progress: Progress, rung: Rung) -> ShotsTried:
    """One number of examples on the rows set aside for the choice."""
    asked = held.rows.selection
    progress.stage(f"trying {rung.words}")
    replies = asker.ask(held.ladder.prompts(rung, asked))
    overlap = [token_f1(row.answer, reply.text) for row, reply in zip(asked, replies, strict=True)]
    scores = held.scores(asked, replies)
    return ShotsTried(shots=rung.shots, score=_mean(scores), token_f1=_mean(overlap), n=len(asked))


def _report(
    held: _Held,
    asker: Asker,
    replies: dict[Rung, list[Reply]],
    tried: list[ShotsTried],
    left_out: dict[str, str],
    again: dict[int, Reply],
    *,
    question_tokens: float | None,
    device: str,
) -> TournamentReport:
    spec, rows, test = held.spec, held.rows, held.test
    scores = {rung.name: held.scores(test, found) for rung, found in replies.items()}
    rungs = [_rung_report(held, asker, rung, found, scores[rung.name]) for rung, found in replies.items()]
    noise = _noise(held, again, scores.get("zero_shot", []))
    best, beats, sentence, paired = winner(rungs, scores, spec.seed, noise)
    twice = [asker.usd_per_1000_calls(reply.prompt_tokens, reply.answer_tokens) or 0 for reply in again.values()]
    cost = [rung.usd_per_1000_calls for rung in rungs]
    chosen_on = "validation rows" if rows.chosen_on_validation else "training rows set aside"
    return TournamentReport(
        best=best,
        beats_others=beats,
        sentence=sentence,
        metric=held.metric,
        metric_words=METRICS[held.metric],
        rungs=rungs,
        classic=held.classic(),
        left_out=left_out,
        tried=tried,
        chosen_on=chosen_on if tried else "",
        paired=paired,
        noise=noise,
        answers=[
            JudgedAnswer(
                line=row.line,
                input=row.user_text,
                expected=row.answer,
                answers={rung.name: found[at].text for rung, found in replies.items()},
                scores={name: values[at] for name, values in scores.items()},
                truncated=[rung.name for rung, found in replies.items() if found[at].truncated],
            )
            for at, row in enumerate(test)
        ],
        question_tokens=question_tokens,
        usd_of_asking=(sum(each or 0 for each in cost) * len(test) + sum(twice)) / 1000 if any(cost) else None,
        prices=[price.brief() for price in asker.prices] if isinstance(asker, EndpointAsker) else [],
        limits=[*([noise.sentence] if noise else []), *limits(rungs, rows, len(test))],
        base_model=spec.base_model,
        base_revision=spec.base_revision,
        device=device,
        test_file=str(rows.test_file),
        test_sha256=rows.test_sha256,
        rows=len(test),
        rows_in_file=rows.in_file,
        leaked=len(rows.leaked),
        seed=spec.seed,
        created_at=datetime.now(UTC),
    )


def _noise(held: _Held, again: dict[int, Reply], first: Sequence[float]) -> DecodingNoise | None:
    """What asking some rows again has changed; `first` are the zero-shot scores of all rows."""
    scores = held.scores([held.test[at] for at in again], list(again.values()))
    return decoding_noise([first[at] for at in again], scores, len(held.test))


def _rung_report(
    held: _Held, asker: Asker, rung: Rung, replies: Sequence[Reply], scores: Sequence[float]
) -> RungReport:
    prompt = _mean([reply.prompt_tokens for reply in replies])
    answer = _mean([reply.answer_tokens for reply in replies])
    schema = held.schema
    valid = None if schema is None else interval([schema_valid(schema, reply.text) for reply in replies])
    return RungReport(
        name=rung.name,
        words=rung.words,
        score=interval(scores, held.spec.seed),
        shots=rung.shots,
        instruction=rung.told,
        prompt_tokens=prompt,
        answer_tokens=answer,
        seconds_per_answer=_mean([reply.seconds for reply in replies]),
        usd_per_1000_calls=asker.usd_per_1000_calls(prompt, answer),
        truncated=sum(reply.truncated for reply in replies),
        schema_valid=valid,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
