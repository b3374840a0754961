"""One job, complete enough to run again next year. No secret ever stands in it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.answers import TaskKind
from core.endpoint_address import usable
from core.errors import BadInput, NotFound, Problem, ProblemsFound, TuneworthyError, problems_of
from core.paths import exists, is_file, resolved, typed_path

Learner = Literal["llm", "classic", "encoder"]
ENCODER_DEFAULTS = {"learning_rate": 1e-4, "epochs": 10.0}
"""Of an encoder, where a spec does not say: all of its weights move, so more gently than an adapter's."""
JobKind = Literal["prepare", "train", "evaluate", "probe", "tournament", "export"]
DEFAULT_BASE_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
DPO_LEARNING_RATE = 1e-5
"""Of preference tuning, where a spec does not say: ten times the 1e-6 of full tuning (Rafailov et al. 2023, B)."""
MAX_SPEC_BYTES = 1 << 20
AxisName = Literal["task", "new_inputs", "knowledge", "safety", "over_refusal", "bias", "red_team"]
Metric = Literal[
    "exact_match",
    "normalised_match",
    "json_match",
    "field_f1",
    "token_f1",
    "rouge_l",
    "numeric",
    "sql_match",
    "sql_rows",
]
MetricName = Literal["auto", Metric]
AXES: tuple[AxisName, ...] = ("task", "new_inputs", "knowledge", "safety", "over_refusal", "bias")
"""What is judged when nothing else is said."""


MethodKind = Literal["full", "lora", "prefix", "prompt", "bottleneck", "ia3"]
LEARNING_RATES: dict[MethodKind, float] = {
    "full": 1e-4,
    "lora": 1e-3,
    "prefix": 3e-2,
    "prompt": 3e-2,
    "bottleneck": 1e-3,
    "ia3": 1e-2,
}
"""Peak rate of each method where a spec gives none; the sources stand in `training/methods/`."""


class MethodSpec(BaseModel):
    """Which weights are trained, and how."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    kind: MethodKind = "lora"
    """Tuning method: what is trained, the whole model or something small beside it."""
    rank: int = Field(default=16, ge=1, le=1024)
    """LoRA rank r. Higher learns more, and needs more memory."""
    alpha: int = Field(default=32, ge=1, le=4096)
    """LoRA alpha; the update is scaled by alpha / rank."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of adapter inputs dropped in training, against overfitting. It slows a processor by a quarter."""
    rslora: bool = False
    """Scale LoRA's update by alpha / sqrt(rank), so that a high rank still learns (rank-stabilised LoRA)."""
    dora: bool = False
    """Train the length of each weight column beside LoRA's direction: a little closer to full tuning, and slower."""
    targets: list[str] | Literal["all-linear"] = "all-linear"
    """Layers that get an adapter: all linear layers, or names such as q_proj."""
    bits: Literal["16", "8", "4", "fp8"] = "16"
    """Precision of the frozen base: fewer bits take less memory and more time."""
    virtual_tokens: int = Field(default=20, ge=1, le=1024)
    """Learned places before every prompt, of prefix and prompt tuning."""
    bottleneck_size: int = Field(default=64, ge=1, le=4096)
    """Width of a bottleneck adapter layer: more learns more."""
    placement: Literal["houlsby", "pfeiffer"] = "houlsby"
    """Adapter layers after attention and feed-forward (houlsby), or after the feed-forward only (pfeiffer)."""


class HostSettings(BaseModel):
    """Which managed host tunes, and what only such a host takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    profile: str = "openai"
    """openai, azure, nebius, or compatible for any other host of the OpenAI protocol."""
    base_url: str = ""
    """Address of the host, where it is not the same for everybody; no key in it."""
    training_type: str | None = None
    """Kind of capacity at Azure: GlobalStandard, Standard or developerTier."""
    n_epochs: Annotated[int, Field(ge=1, le=50)] | Literal["auto"] | None = None
    """Passes over the rows as the host counts them, or auto; `epochs` when empty."""
    batch_size: Annotated[int, Field(ge=1, le=256)] | Literal["auto"] = "auto"
    """Rows per step at the host."""
    learning_rate_multiplier: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """Multiple of the host's own learning rate; `learning_rate` is not sent."""
    suffix: str = Field(default="", max_length=64)
    """Part of the tuned model's name; one made from the job's id when empty."""


class JobSpec(BaseModel):
    """What to do, with which data and which model, on which engine."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    kind: JobKind = "train"
    """prepare, train, evaluate, probe, tournament or export."""
    name: str = Field(default="", max_length=120)
    """A name for people."""
    engine: str = "local"
    """Row of the table of engines: local, fake ..."""
    base_model: str = DEFAULT_BASE_MODEL
    """A folder, a Hugging Face Hub id, or the embedded default."""
    base_revision: str | None = None
    """Commit of the base on the hub; the newest when empty."""
    dataset: str | None = None
    """Path of the training rows. An evaluation takes its few-shot examples from here."""
    validation: str | None = None
    """Path of the validation rows: early stopping, and the choice of the best prompt."""
    test: str | None = None
    """Path of the held-out rows that only the judge reads; `validation` when empty."""
    shifted: str | None = None
    """Path of rows unlike the training rows (`tuneworthy split --shifted`), for the axis `new_inputs`."""
    dataset_sha256: str | None = None
    """Hash of the training file when the job was asked for; a changed file is refused."""
    inputs: list[str] | None = None
    """Columns that make the input, for tables."""
    output: str | None = None
    """Column that holds the answer, for tables."""
    records: str | None = None
    """Path to the list of rows inside nested JSON."""
    template: str | None = None
    """Prompt with columns in braces, such as `Sort: {subject}`; stands in for `inputs`."""
    system_prompt: str | None = None
    """Instruction put before rows that have none."""
    method: MethodSpec = MethodSpec()
    learner: Learner = "llm"
    """What is trained: `llm`, an adapter of the base; or a small classifier, `classic` or `encoder`."""
    encoder: str | None = None
    """Encoder that is fine-tuned where `learner` is encoder: a folder, or a Hugging Face Hub id."""
    epochs: float = Field(default=3.0, gt=0, le=1000)
    """Passes over the training rows."""
    learning_rate: float = Field(default=1e-3, gt=0, le=1)
    """Peak learning rate; that of the method when empty. LoRA takes about ten times that of full tuning."""
    warmup_ratio: float = Field(default=0.05, ge=0, le=0.5)
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = Field(default=0.0, ge=0, le=1)
    """Pull of the trained weights towards zero, against overfitting."""
    neftune_alpha: float | None = Field(default=None, gt=0, le=100)
    """Noise on the embeddings while it learns, against overfitting on short answers; off when empty."""
    optimizer: Literal["auto", "adamw", "adamw_8bit_paged"] = "auto"
    """AdamW as it is, or with 8-bit state that may move to main memory; auto takes that for a 4- or 8-bit base."""
    max_tokens: int = Field(default=512, ge=8, le=1_000_000)
    """Longest row in tokens; longer ones are cut and counted."""
    micro_batch: Annotated[int, Field(ge=1, le=4096)] | Literal["auto"] = "auto"
    """Rows per step on the device."""
    grad_accumulation: int = Field(default=1, ge=1, le=4096)
    """Micro batches per optimizer step."""
    grad_checkpointing: Literal["auto", "on", "off"] = "auto"
    """Trade time for memory: recompute activations in the backward pass."""
    packing: bool = False
    """Join short rows into long ones. Not in this release."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Number format of the base and the arithmetic."""
    seed: int = Field(default=7, ge=0, le=2**31 - 1)
    """Every random choice follows from it."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:0."""
    gpu: str | None = None
    """A card that is not here, for estimates: H100-SXM, RTX 4090 ..."""
    n_gpus: int = Field(default=1, ge=1, le=1024)
    """Cards of this machine that share the rows of a step."""
    shard_base: bool = False
    """Spread the frozen base over the cards, for one that does not fit on a single one."""
    stack: str = "peft"
    """Training stack."""
    budget_usd: float | None = Field(default=None, ge=0)
    """Dollars at which the job is stopped, keeping what it has."""
    budget_minutes: float | None = Field(default=None, gt=0)
    """Minutes of work, times the cards, at which a training is stopped, keeping what it has."""
    usd_per_hour: float | None = Field(default=None, ge=0)
    """What an hour of one device costs you; nothing when empty and the machine is your own."""
    early_stopping: int | None = Field(default=None, ge=1, le=1000)
    """Stop after so many validations without improvement; the best checkpoint is kept."""
    eval_steps: int | None = Field(default=None, ge=1)
    """Steps between validations; twice an epoch when empty."""
    save_steps: int | None = Field(default=None, ge=1)
    """Steps between checkpoints; as eval_steps when empty."""
    save_minutes: float | None = Field(default=None, gt=0)
    """Most minutes between checkpoints, beside save_steps."""
    retry_smaller: bool = False
    """Out of memory: try once more with fewer rows at a time, as many a step."""
    mix_general: float = Field(default=0.0, ge=0, lt=1)
    """Share of the rows that are general ones, against forgetting: prompts of ours with the base's own answers."""
    mix_safety: float = Field(default=0.0, ge=0, le=0.5)
    """Share of the rows that keep the base's refusals, and its answers to what only looks unsafe: 0.03 as a rule."""
    objective: Literal["sft", "dpo"] = "sft"
    """What is learned: answers (sft), or which of two answers is preferred (dpo)."""
    dpo_beta: float = Field(default=0.1, gt=0, le=10)
    """How strongly preference tuning is held to where it began: more stays closer."""
    report_to: list[str] = []
    """Trackers to report to where installed: tensorboard, mlflow, wandb, trackio."""
    adapter: str | None = None
    """Adapter folder to evaluate; preference tuning starts from it."""
    job: str | None = None
    """Train job whose adapter is evaluated; preference tuning starts from it."""
    seed_jobs: list[str] = []
    """Train jobs that differ from `job` in their seed alone: judged on the task beside it, for the luck of the seed."""
    resume_of: str | None = None
    """Train job whose last checkpoint this one goes on from."""
    axes: list[AxisName] = list(AXES)
    """What is judged. `red_team` (attacks) is asked for by name."""
    look: Literal["quick", "full"] = "full"
    """quick: at most 100 questions an axis beside the task."""
    stakes: Literal["low", "medium", "high"] | None = None
    """How much a wrong answer costs: high asks for proof on every axis. From the plan."""
    domain: str | None = Field(default=None, max_length=200)
    """Field of work: legal, medical, financial and scientific count as high stakes. From the plan."""
    metric: MetricName = "auto"
    """What counts as right. Auto: as the answers are, and as `task_kind` where it is given."""
    task_kind: TaskKind | None = None
    """Kind of work. From the plan; the metric follows it."""
    latency_ms: int | None = Field(default=None, ge=1, le=10**7)
    """Longest acceptable wait for one answer, in milliseconds. From the plan."""
    sqlite: str | None = None
    """Path of a SQLite file on which expected and answered queries are run, read-only."""
    json_schema: str | None = None
    """Path of the JSON schema that answers should follow; read off the training answers when empty."""
    judge: str | None = None
    """Hosted model that marks the answers beside the metric: `URL?key=VARIABLE#MODEL`, the key itself in no file."""
    harm_judge: str | None = None
    """Moderation endpoint that says which answers to unsafe requests do harm: `URL?key=VARIABLE#MODEL`."""
    margins: dict[str, float] = {}
    n: int | None = Field(default=None, ge=1)
    """Rows to judge on; all when empty."""
    max_new_tokens: int | None = Field(default=None, ge=1, le=65536)
    """Longest answer in tokens; from the training rows when empty."""
    general_set: str | None = None
    models: list[Literal["base", "best_prompt", "tuned", "classic"]] | None = None
    """Whom to judge; all that apply when empty."""
    few_shot: int = Field(default=6, ge=1, le=64)
    """Most examples in the best prompt."""
    after: list[str] = []
    """Jobs that must succeed first."""
    group: str | None = None
    """Name of the chain that this job belongs to."""
    allow_network: bool = True
    """May the job contact hosts (hub, package index)?"""
    host: HostSettings = HostSettings()
    fake: dict[str, float | str | bool] = {}
    """Scenario of the fake engine: seconds, outcome, lost, no_pause."""

    @model_validator(mode="before")
    @classmethod
    def _usual_rate_of_the_method(cls, told: object) -> object:
        if not isinstance(told, dict) or "learning_rate" in told or told.get("learner") == "encoder":
            return told
        method = told.get("method")
        kind = method.get("kind") if isinstance(method, dict) else getattr(method, "kind", None)
        usual = [rate for name, rate in LEARNING_RATES.items() if name == kind]
        return told | {"learning_rate": usual[0]} if usual else told

    @model_validator(mode="before")
    @classmethod
    def _usual_for_the_learner(cls, told: object) -> object:
        return ENCODER_DEFAULTS | told if isinstance(told, dict) and told.get("learner") == "encoder" else told

    @model_validator(mode="before")
    @classmethod
    def _usual_rate_of_preferences(cls, told: object) -> object:
        wanted = isinstance(told, dict) and told.get("objective") == "dpo"
        return {"learning_rate": DPO_LEARNING_RATE} | told if wanted and isinstance(told, dict) else told


def check_evaluate_spec(spec: JobSpec) -> list[Problem]:
    """What an evaluate spec asks for that cannot be done, all at once: the engine and the judge both say it."""
    found = []
    if "task" not in spec.axes:
        hint = "The verdict begins with the task."
        found.append(Problem(what="the axis `task` is not asked for.", where="axes", hint=f"Add it. {hint}"))
    if spec.general_set and "knowledge" not in spec.axes:
        what = "`general_set` is given, and the axis `knowledge` is not asked for."
        found.append(Problem(what=what, where="general_set", hint="Add `knowledge` to `axes`, or leave it out."))
    if spec.general_set and not is_file(Path(spec.general_set)):
        found.append(Problem(what=f"no file at {spec.general_set}.", where="general_set", hint="Check the path."))
    if spec.metric == "sql_rows" and not spec.sqlite:
        what = "`sql_rows` needs a database to run the queries on."
        found.append(Problem(what=what, where="sqlite", hint="Set `sqlite` to a SQLite file."))
    for field, path in (("sqlite", spec.sqlite), ("json_schema", spec.json_schema)):
        if path and not is_file(typed_path(path)):
            found.append(Problem(what=f"no file at {path}.", where=field, hint="Check the path."))
    for name in spec.margins:
        if name not in (*AXES, "names", "red_team"):
            what = f"there is no axis `{name[:40]}`."
            found.append(Problem(what=what, where="margins", hint=f"Axes: {', '.join((*AXES, 'red_team'))}."))
    for field, address, whom in (("judge", spec.judge, "judge"), ("harm_judge", spec.harm_judge, "judge of harm")):
        try:
            if address:
                usable(address, whom=whom, allow_network=spec.allow_network)
        except TuneworthyError as error:
            found.append(Problem(what=error.message, where=field, hint=error.hint))
    found += _seed_problems(spec)
    if spec.harm_judge and "safety" not in spec.axes:
        what = "`harm_judge` is given, and the axis `safety` is not asked for."
        found.append(Problem(what=what, where="harm_judge", hint="Add `safety` to `axes`, or leave it out."))
    return found


def _seed_problems(spec: JobSpec) -> list[Problem]:
    if spec.seed_jobs and not spec.job:
        hint = "Set `job`: seeds are compared training by training."
        return [Problem(what="`seed_jobs` is given without `job`.", where="seed_jobs", hint=hint)]
    if len({spec.job, *spec.seed_jobs}) <= len(spec.seed_jobs):
        what = "a training stands twice in `job` and `seed_jobs`."
        return [Problem(what=what, where="seed_jobs", hint="Name each once.")]
    return []


def read_mapping(path: Path, first_line: str = "kind: train") -> dict[str, object]:
    """A YAML or JSON file as a mapping. `first_line` is shown to who wrote something else.

    Raises `NotFound` for no such file, `BadInput` with file and line for anything that is not a mapping.
    """
    if not is_file(path):
        raise NotFound(f"no file at {path}.", "Check the path.")
    if path.stat().st_size > MAX_SPEC_BYTES:
        raise BadInput("is larger than 1 MiB.", "Give a short YAML or JSON file.", file=str(path))
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("is not UTF-8 text.", "Save it as UTF-8.", file=str(path)) from error
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror}).", "Check its permissions.", file=str(path)) from error
    try:
        value = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except json.JSONDecodeError as error:
        raise BadInput(f"is not JSON: {error.msg}.", "Mend that line.", file=str(path), line=error.lineno) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise BadInput(f"is not YAML: {problem}.", "Mend that line.", file=str(path), line=line) from error
    except (RecursionError, ValueError) as error:
        raise BadInput("cannot be read as YAML or JSON.", "Write it plainly.", file=str(path)) from error
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise BadInput("must hold named fields.", f"Start with a line such as `{first_line}`.", file=str(path))
    return value


def read_spec(path: Path) -> JobSpec:
    """A spec file as a `JobSpec`, relative paths taken from the file's folder.

    Raises `NotFound`, `BadInput` or `ProblemsFound` (all problems at once).
    """
    raw = read_mapping(path)
    try:
        spec = JobSpec.model_validate(raw)
    except ValidationError as error:
        raise ProblemsFound(problems_of(error, str(path))) from error
    except RecursionError as error:
        raise BadInput("is nested too deeply.", "Write it plainly.", file=str(path)) from error
    updates: dict[str, str] = {}
    for field in (
        "dataset",
        "validation",
        "test",
        "shifted",
        "adapter",
        "base_model",
        "encoder",
        "general_set",
        "json_schema",
        "sqlite",
    ):
        value = getattr(spec, field)
        if not value or Path(value).is_absolute():
            continue
        local = path.parent / value
        if field in ("base_model", "encoder") and not exists(local):
            continue
        updates[field] = str(resolved(local))
    if not math.isfinite(spec.learning_rate):
        raise BadInput("`learning_rate` must be a number.", file=str(path))
    return spec.model_copy(update=updates)
