"""Judge: base, best prompt, tuned model and classifier on the same held-out rows. Runs in a worker process.

What was answered is kept by content hash, so that after a crash or a cancel nothing is computed twice.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

from core.adapter_settings import settings_sha256
from core.errors import BadInput, ProblemsFound, Refused
from core.job import Measured, Result
from core.jobspec import JobSpec, check_evaluate_spec
from core.machine import resolve_device
from core.run_folder import RunFolder
from dataset.row import Message, Row
from evaluation.answering import Answerer, Progress, Stopped
from evaluation.axes.question import Axis
from evaluation.best_prompt import MAX_NEAREST, Prompter, Recipe, encoded, recipes
from evaluation.cache import weights_key
from evaluation.classic import classify, is_label_task
from evaluation.findings import Asked, Said, build_report
from evaluation.harm_asking import ask_harm, harm_address
from evaluation.judged_classifier import WHY_NOT, ask_classifier, open_classifier
from evaluation.judged_model import ADAPTER, Opened, adapter_sha256, find_adapter, open_local
from evaluation.latency import Latency, latency
from evaluation.llm_judge import judge_all, judge_endpoint
from evaluation.llm_marks import keep_marks
from evaluation.llm_trust import keep_trust
from evaluation.measure import Axes, Prompts
from evaluation.metrics import Metric, choose_metric, score, token_f1
from evaluation.repeats import Repeats, Sample, sampled
from evaluation.report import ModelName, PromptChoice, PromptScore
from evaluation.rows import JudgedRows, judged_rows
from evaluation.seed_runs import SeedRun, seed_runs
from evaluation.task_details import check_files
from serving.precision import resolve_precision

DEFAULT_NEW_TOKENS = 256
_ANSWER_ROOM = 1.1
"""Answers may be a tenth (and 8 tokens) longer than the longest right one before they are cut."""
MOST_TRAINED = 100
"""Training rows that the tuned model is asked again, to see whether it has learned them by heart."""
NEAREST_TOKENS_ON_CPU = 20_000
"""Reading examples anew for every row is tried up to this many tokens: about a minute on two cores."""


def run_evaluation(
    spec: JobSpec,
    folder: RunFolder,
    should_stop: Callable[[], bool],
    open_model: Callable[[JobSpec, Path | None], Opened] = open_local,
    sample: Sample = sampled,
) -> Result:
    """Judge what the spec names and leave the report in `folder.evaluation_file`.

    When `should_stop` turns true it returns early, without a report: the answers so far are kept, and the same job
    goes on from them. Raises errors of `core.errors` for what cannot be judged.
    """
    started = time.monotonic()
    if problems := check_evaluate_spec(spec):
        raise ProblemsFound(problems)
    check_files(spec)
    judge = judge_endpoint(spec) if spec.judge else None
    harm_judge = harm_address(spec) if spec.harm_judge else None
    progress = Progress(folder, 1)
    progress.stage("reading the rows")
    rows = judged_rows(spec)
    models = chosen_models(spec, rows)
    classifier = open_classifier(spec) if "tuned" in models else None
    if classifier is not None:
        models = classifier.stands_beside(models)
    adapter = find_adapter(spec) if "tuned" in models and classifier is None else None
    runs = seed_runs(spec) if "tuned" in models else []
    if rows.leaked:
        folder.emit("warning", f"{len(rows.leaked)} held-out rows also stand in training; scores leave them out.")
    metric = choose_metric(spec.metric, [row.answer for row in rows.test], spec.task_kind, database=spec.sqlite)
    try:
        asked = _ask(
            spec,
            rows,
            metric,
            models=[name for name in models if name != "tuned" or classifier is None],
            adapter=adapter,
            runs=runs,
            progress=progress,
            should_stop=should_stop,
            open_model=open_model,
            sample=sample,
            without=WHY_NOT if classifier is not None or spec.learner != "llm" else (),  # its baseline too
        )
        if classifier is not None:
            ask_classifier(classifier, asked, spec, rows, metric, progress)
        if harm_judge is not None and "safety" in asked.axes:
            ask_harm(harm_judge, asked.axes["safety"], progress=progress, should_stop=should_stop)
        if judge is not None:
            said = {name: [each.text for each in answers] for name, answers in asked.said.items()}
            keep_marks(folder, judge_all(judge, rows, said, progress=progress, should_stop=should_stop))
    except Stopped:
        return Result(notes=["Stopped before the verdict. The answers so far are kept."])
    progress.stage("weighing the evidence")
    report = build_report(
        spec,
        rows,
        asked,
        metric,
        adapter=classifier.folder if classifier is not None else adapter,
        device=resolve_device(spec.device),
        now=datetime.now(UTC),
    )
    report.save(folder.evaluation_file)
    if judge is not None:
        keep_trust(folder)
    metrics = {f"{name}_score": axes["task"].score for name, axes in report.models.items() if "task" in axes}
    return Result(
        evaluation=str(folder.evaluation_file),
        metrics=metrics,
        measured=Measured(seconds=time.monotonic() - started),
        notes=[
            *([f"Verdict: {report.verdict.replace('_', ' ')}."] if "tuned" in report.models else []),
            *report.reasons[:1],
        ],
    )


def chosen_models(spec: JobSpec, rows: JudgedRows) -> list[ModelName]:
    """Whom to judge: as asked, or all that apply to these rows."""
    possible: list[ModelName] = ["base"]
    if rows.train:
        possible.append("best_prompt")
        if is_label_task([row.answer for row in rows.train]):
            possible.append("classic")
    if spec.adapter or spec.job:
        possible.append("tuned")
    if spec.models is None:
        return possible
    if "tuned" in spec.models and "tuned" not in possible:
        raise BadInput("`tuned` is to be judged, but no adapter is named.", "Set `adapter` or `job`.")
    chosen = [name for name in possible if name in spec.models]
    if not chosen:
        raise BadInput("none of the asked models can be judged on these rows.", "Set `dataset` to the training rows.")
    return chosen


def _ask(
    spec: JobSpec,
    rows: JudgedRows,
    metric: Metric,
    *,
    models: list[ModelName],
    adapter: Path | None,
    runs: list[SeedRun],
    progress: Progress,
    should_stop: Callable[[], bool],
    open_model: Callable[[JobSpec, Path | None], Opened],
    sample: Sample,
    without: Collection[Axis] = (),
) -> Asked:
    """Everybody's answers to everything, the task first. Raises `Stopped`. Axes `without` are not asked."""
    found = Asked()
    if "classic" in models:
        progress.stage("fitting the classifier")
        found.said["classic"] = _classic(rows, spec.seed)
    if not set(models) - {"classic"}:
        return found
    asked = [name for name in models if name != "classic"]
    axes = Axes(spec, rows, metric, without)
    repeats = Repeats(spec, rows, metric, asked, runs)
    progress.stage("loading the model")
    before = weights_key(adapter) if adapter else None
    found.adapter_sha256 = adapter_sha256(adapter) if adapter else None
    found.adapter_settings_sha256 = settings_sha256(adapter) if adapter else None
    opened = open_model(spec, adapter)
    if adapter and weights_key(adapter) != before:
        raise Refused("the adapter was written over while it was loaded.", "Judge it when its training has ended.")
    answerer = _answerer(spec, rows, adapter, opened, progress, should_stop)

    def plain(conversations: Sequence[tuple[Message, ...]]) -> list[list[int]]:
        return [encoded(opened.renderer.encode_prompt, messages) for messages in conversations]

    prompts: dict[ModelName, Prompts] = {"base": plain, "tuned": plain}
    questions = plain([row.asked for row in rows.test])
    nearest = nearest_is_affordable(spec, rows, opened)
    candidates = recipes(rows.train, spec.few_shot, nearest=nearest) if "best_prompt" in models else []
    again = len(trained_sample(rows, spec.seed)) if "tuned" in models and "new_inputs" in spec.axes else 0
    task = len(asked) * len(rows.test) + len(candidates) * len(rows.selection)
    progress.total = task + axes.total(asked) + again + repeats.total
    if "base" in models:
        progress.stage("asking the base")
        found.said["base"] = _said(answerer, questions)
    if "best_prompt" in models:
        prompter = Prompter(rows.train, opened.renderer.encode_prompt, answerer.model.context - answerer.max_new_tokens)
        recipe, found.prompt = _choose_prompt(spec, rows, metric, prompter, candidates, answerer)
        progress.stage(f"asking the base with the best prompt ({recipe.words})")
        prompted = prompter.prompts(recipe, rows.test)
        found.said["best_prompt"] = _said(answerer, prompted)
        found.prompt.mean_tokens = _mean_length(prompted)
        found.prompt.base_mean_tokens = _mean_length(questions)
        prompts["best_prompt"] = lambda asked: prompter.prompts(recipe, [Row(messages, 0) for messages in asked])
    if "tuned" in models:
        progress.stage("asking the tuned model")
        found.said["tuned"] = _said(answerer, questions, tuned=True)
        if "new_inputs" in spec.axes:
            progress.stage("asking the tuned model what it was trained on")
            seen = trained_sample(rows, spec.seed)
            answers = answerer.answers(plain([row.asked for row in seen]), tuned=True)
            found.trained = [
                score(metric, row.answer, said.text, spec.sqlite) for row, said in zip(seen, answers, strict=True)
            ]
    if spec.latency_ms:
        for name in asked:
            timed = prompts[name]([row.asked for row in rows.test])
            found.latency[name] = _latency(name, answerer, timed, spec.latency_ms, resolve_device(spec.device))
    found.axes = axes.ask(asked, answerer, opened.renderer, prompts)
    repeats.ask(found, answerer, questions, sample)
    return found


def _latency(name: ModelName, answerer: Answerer, prompts: list[list[int]], limit_ms: int, device: str) -> Latency:
    """How long a single answer takes. Raises `Stopped`."""
    answerer.progress.stage(f"timing single answers: {name}")
    timed = latency(
        answerer.model,
        prompts,
        adapter=ADAPTER if name == "tuned" else None,
        max_new_tokens=answerer.max_new_tokens,
        device=device,
        limit_ms=limit_ms,
        stop=answerer.should_stop,
    )
    if timed is None or answerer.should_stop():
        raise Stopped
    return timed


def trained_sample(rows: JudgedRows, seed: int) -> list[Row]:
    """Training rows to hold the held-out ones against: as many as those, 100 at the most, drawn by the seed."""
    known = [row for row in rows.trained_on if row.asked]
    count = min(len(known), max(20, min(len(rows.test), MOST_TRAINED)))
    return random.Random(seed).sample(known, count)


def nearest_is_affordable(spec: JobSpec, rows: JudgedRows, opened: Opened) -> bool:
    """On a card always; on a CPU while the examples of all rows together stay short."""
    if resolve_device(spec.device) != "cpu" or not rows.train:
        return True
    shown = rows.train[:50]
    each = sum(opened.renderer.count(row.text) for row in shown) / len(shown)
    return min(spec.few_shot, MAX_NEAREST) * each * (len(rows.test) + len(rows.selection)) <= NEAREST_TOKENS_ON_CPU


def _answerer(  # one call, every one of them needed
    spec: JobSpec,
    rows: JudgedRows,
    adapter: Path | None,
    opened: Opened,
    progress: Progress,
    should_stop: Callable[[], bool],
) -> Answerer:
    known = [row.answer for row in rows.train] or [row.answer for row in rows.test]
    longest = max(opened.renderer.count(answer) for answer in known)
    device = resolve_device(spec.device)
    limit = spec.max_new_tokens or min(int(longest * _ANSWER_ROOM) + 8, max(DEFAULT_NEW_TOKENS, longest + 8))
    return Answerer(
        opened.model,
        opened.base,
        (ADAPTER, adapter) if adapter else None,
        max_new_tokens=min(limit, opened.model.context - 1),
        settings={"device": device.partition(":")[0], "precision": resolve_precision(spec.precision, device)},
        progress=progress,
        should_stop=should_stop,
    )


def _choose_prompt(
    spec: JobSpec, rows: JudgedRows, metric: Metric, prompter: Prompter, candidates: list[Recipe], answerer: Answerer
) -> tuple[Recipe, PromptChoice]:
    """The candidate with the highest score on the selection rows; ties go to token F1, then to the shorter prompt."""
    expected = [row.answer for row in rows.selection]
    tried: list[PromptScore] = []
    for recipe in candidates:
        answerer.progress.stage(f"trying a prompt: {recipe.words}")
        prompts = prompter.prompts(recipe, rows.selection)
        answers = [answer.text for answer in answerer.answers(prompts)]
        pairs = list(zip(expected, answers, strict=True))
        count = max(1, len(pairs))
        tried.append(
            PromptScore(
                name=recipe.name,
                words=recipe.words,
                score=sum(score(metric, *pair, spec.sqlite) for pair in pairs) / count,
                token_f1=sum(token_f1(*pair) for pair in pairs) / count,
                n=len(pairs),
                mean_tokens=_mean_length(prompts),
            )
        )
    best = max(tried, key=lambda candidate: (candidate.score, candidate.token_f1, -candidate.mean_tokens))
    recipe = candidates[tried.index(best)]
    return recipe, PromptChoice(
        name=recipe.name,
        words=recipe.words,
        instruction=recipe.instruction,
        examples=recipe.k,
        mean_tokens=0.0,
        base_mean_tokens=0.0,
        chosen_on="validation rows" if rows.chosen_on_validation else "training rows set aside",
        candidates=tried,
    )


def _said(answerer: Answerer, prompts: list[list[int]], tuned: bool = False) -> list[Said]:
    answers = answerer.answers(prompts, tuned=tuned)
    return [
        Said(answer.text, len(prompt), answer.tokens, answer.seconds, answer.truncated)
        for prompt, answer in zip(prompts, answers, strict=True)
    ]


def _classic(rows: JudgedRows, seed: int) -> list[Said]:
    started = time.monotonic()
    # The rows set aside for the choice of the prompt are training rows too: the classifier gets all of them.
    known: list[Row] = rows.train if rows.chosen_on_validation else [*rows.train, *rows.selection]
    labels = classify([(row.user_text, row.answer) for row in known], [row.user_text for row in rows.test], seed)
    each = (time.monotonic() - started) / len(rows.test)
    return [Said(label, 0, 0, each, False) for label in labels]


def _mean_length(prompts: list[list[int]]) -> float:
    return sum(map(len, prompts)) / len(prompts) if prompts else 0.0
