"""Everything that would stop a job at a host and can be known without asking it: no network, no money."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from datetime import date

from backends.hosts.keys import key_of
from backends.hosts.models import base_of, training_row
from backends.hosts.profile import HostProfile, profile_of
from backends.hosts.rows import upload_problems
from core.errors import Problem, TuneworthyError
from core.jobspec import JobSpec

MOST_EPOCHS = 50
HIGHEST_BETA = 2.0
_NOT_THERE = {
    "after": "Launch it once what it waits for has ended.",
    "resume_of": "Launch it anew: a host goes on from no checkpoint of ours.",
    "job": "Set `base_model` to the tuned model's name to go on from it.",
    "adapter": "Set `base_model` to the tuned model's name to go on from it.",
    "mix_general": "Put general rows into the file yourself, or use `engine: local`.",
    "mix_safety": "Put such rows into the file yourself, or use `engine: local`.",
    "early_stopping": "Take a checkpoint of an earlier epoch instead, or use `engine: local`.",
    "budget_minutes": "Set `budget_usd`, or use `engine: local`.",
}
"""Settings that a host cannot honour, and what to do instead. Set, they stop the job rather than be passed over."""


def host_problems(spec: JobSpec, today: date) -> list[Problem]:
    """All of them at once."""
    if spec.kind != "train":
        hint = "Ask a tuned model by its address, as the base of a tournament on `engine: local`."
        return [Problem(what=f"a managed host does no `{spec.kind}` jobs.", where="kind", hint=hint)]
    problems = list(_settings(spec))
    try:
        profile = profile_of(spec)
    except TuneworthyError as error:
        return [*problems, *(each.model_copy(update={"where": "host"}) for each in error.problems())]
    problems += [*_access(spec, profile), *_model(spec, profile, today), *_names(spec, profile)]
    if spec.dataset is None:
        problems.append(Problem(what="no training rows are given.", where="dataset", hint="Set `dataset`."))
    for where, path in (("dataset", spec.dataset), ("validation", spec.validation)):
        if path is not None:
            problems += upload_problems(spec, path, profile, where)
    return problems


def _settings(spec: JobSpec) -> Iterator[Problem]:
    for field, hint in _NOT_THERE.items():
        if getattr(spec, field):
            yield Problem(what=f"`{field}` is not honoured by a managed host.", where=field, hint=hint)
    if spec.learner != "llm":
        yield Problem(what="a managed host trains no small classifier.", where="learner", hint="Use `engine: local`.")
    if spec.host.n_epochs is None and not (spec.epochs.is_integer() and 1 <= spec.epochs <= MOST_EPOCHS):
        what = f"a host takes whole epochs from 1 to {MOST_EPOCHS}, got {spec.epochs:g}."
        yield Problem(what=what, where="epochs", hint="Round it, or set `host.n_epochs: auto`.")
    if spec.objective == "dpo" and spec.dpo_beta > HIGHEST_BETA:
        what = f"`dpo_beta` is at most {HIGHEST_BETA:g} at a host, got {spec.dpo_beta:g}."
        yield Problem(what=what, where="dpo_beta", hint="Lower it.")


def _access(spec: JobSpec, profile: HostProfile) -> Iterator[Problem]:
    if not spec.allow_network:
        hint = "Set `allow_network: true`, or use `engine: local`."
        yield Problem(what="a managed host needs the network.", where="allow_network", hint=hint)
    if importlib.util.find_spec("openai") is None:
        what, hint = "the package `openai` is not here.", "Run: pip install 'tuneworthy[managed]'"
        yield Problem(what=what, where="engine", hint=hint)
    try:
        key_of(profile)
    except TuneworthyError as error:
        yield Problem(what=error.message, where="host.profile", hint=error.hint)


def _model(spec: JobSpec, profile: HostProfile, today: date) -> Iterator[Problem]:
    if profile.any_model:
        return
    name, tunable = base_name(spec.base_model), ", ".join(model.short for model in profile.models)
    model = profile.model(name)
    if model is None:
        what = f"{profile.label} tunes no `{name[:80]}`."
        yield Problem(what=what, where="base_model", hint=f"Models: {tunable}.")
        return
    if spec.objective not in model.methods:
        what = f"{profile.label} does no `{spec.objective}` on {model.short}."
        able = ", ".join(each.short for each in profile.models if spec.objective in each.methods)
        yield Problem(what=what, where="objective", hint=f"It does on {able}.")
    row = training_row(profile, name, today, spec.host.training_type)
    if row is None:
        return
    last, retires = row.last_day_for_new_jobs, row.retires
    if (last is not None and today > last) or (retires is not None and today >= retires):
        what = f"{profile.label} takes no new jobs on {model.short} since {last or retires}."
        yield Problem(what=what, where="base_model", hint="Take another model or host, or `engine: local`.")
    elif retires is not None:
        days = (retires - today).days
        what = f"{profile.label} shuts {model.short} and every tune of it down on {retires}: in {days} days."
        hint = "Plan what comes after it, or tune an open model (`engine: local`)."
        yield Problem(what=what, where="base_model", hint=hint, severity="warning")


def _names(spec: JobSpec, profile: HostProfile) -> Iterator[Problem]:
    suffix, kind = spec.host.suffix, spec.host.training_type
    if len(suffix) > profile.max_suffix or (profile.suffix_without_dots and "." in suffix):
        dots = ", no dot among them" if profile.suffix_without_dots else ""
        what = f"{profile.label} takes a suffix of {profile.max_suffix} characters{dots}, got {suffix!r}."
        yield Problem(what=what, where="host.suffix", hint="Shorten it, or leave it empty.")
    if kind is not None and kind not in profile.training_types:
        known = f"It takes: {', '.join(profile.training_types)}." if profile.training_types else "Leave it empty."
        yield Problem(what=f"{profile.label} has no training type {kind!r}.", where="host.training_type", hint=known)


def base_name(name: str) -> str:
    """The base behind a name: a tuned model can be tuned on."""
    return base_of(name) or name
