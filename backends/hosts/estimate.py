"""What a job at a host will cost before it is sent: tokens, times epochs, at a dated price. Unknown is unknown."""

from __future__ import annotations

from datetime import date

from backends.hosts.check import base_name
from backends.hosts.models import training_row
from backends.hosts.profile import HostProfile, profile_of
from backends.hosts.rows import CHARS_PER_TOKEN, Upload, row_tokens, upload_of
from core.errors import NotFound
from core.estimate import Estimate, RunEstimate
from core.jobspec import JobSpec
from cost_models.prices import PriceBook

HOURS_PER_MONTH = 730
ON_FAILURE = "A cancelled job is charged for what was done; whether a failed one is, its host says."
_CHARS = {"low": 6.0, "likely": float(CHARS_PER_TOKEN), "high": 2.5}
"""Characters of a token: plain English at the most, other scripts and code at the least."""


def auto_epochs(rows: int) -> int:
    """Epochs that OpenAI takes for `auto`: the cookbook's rule, the only one that it published."""
    if 3 * rows < 100:
        return min(25, 100 // max(1, rows))
    return max(1, 25_000 // rows) if 3 * rows > 25_000 else 3


def epochs_of(spec: JobSpec, rows: int) -> int:
    """Passes over the rows that will be asked for, or taken by the host."""
    asked = spec.host.n_epochs if spec.host.n_epochs is not None else round(spec.epochs)
    return auto_epochs(rows) if asked == "auto" else asked


def trained_tokens(upload: Upload, epochs: int, chars_per_token: float, most: int) -> float:
    """Tokens that are billed: those of all rows, cut where the host cuts them, times the epochs."""
    return epochs * sum(min(row_tokens(record, chars_per_token), most) for record in upload.records)


def estimate_hosted(spec: JobSpec, today: date) -> RunEstimate:
    """Dollars and their reasons; memory and time are the host's own business. Raises what reading the rows raises."""
    profile = profile_of(spec)
    because = f"{profile.label} does not say beforehand how long a job will wait and run."

    def nothing(unit: str, why: str) -> Estimate:
        return Estimate(unit=unit, because=[why])

    elsewhere = f"It runs at {profile.host}: nothing of it is on this machine."
    return RunEstimate(
        memory_gib=nothing("GiB", elsewhere),
        seconds=nothing("s", because),
        tokens_per_second=nothing("tokens/s", because),
        usd=_usd(spec, profile, today),
        stack=profile.name,
    )


def _usd(spec: JobSpec, profile: HostProfile, today: date) -> Estimate:
    row = training_row(profile, base_name(spec.base_model), today, spec.host.training_type)
    if spec.dataset is None:
        return Estimate(unit="USD", because=["No rows were counted."])
    upload = upload_of(spec, spec.dataset, profile)
    epochs = epochs_of(spec, len(upload.records))
    tokens = {name: trained_tokens(upload, epochs, chars, profile.max_row_tokens) for name, chars in _CHARS.items()}
    counted = (
        f"{len(upload.records):,} rows x {epochs} epochs: about {tokens['likely']:,.0f} tokens, at "
        f"{CHARS_PER_TOKEN} characters a token."
    )
    if row is None:
        return Estimate(unit="USD", because=[counted, f"No price of training is known for {profile.label}."])
    low, likely, high = (round(tokens[name] * row.usd / 1e6, 4) for name in ("low", "likely", "high"))
    because = [
        counted,
        f"{row.label}: price checked {row.checked}.",
        ON_FAILURE,
        *hosting(spec, profile, today),
    ]
    if row.retires is not None:
        because.append(
            f"Base and tuned models are shut down on {row.retires}, {max(0, (row.retires - today).days)} days on."
        )
    return Estimate(low=low, likely=likely, high=high, unit="USD", because=because)


def hosting(spec: JobSpec, profile: HostProfile, today: date) -> list[str]:
    """What a tuned model costs while it waits to be asked, in words; nothing where that is free or unknown."""
    model = profile.model(base_name(spec.base_model))
    try:
        book = PriceBook.load(today=today)
        usd = book.usd(f"{profile.prices_of(spec.host.training_type)}.{model.short}.hosting") if model else 0.0
    except NotFound:
        return []
    if not usd:
        return []
    return [f"Once deployed it costs ${usd * HOURS_PER_MONTH:,.0f} a month, used or not, which is not in the sum."]


def billed_usd(spec: JobSpec, tokens: int, today: date) -> float | None:
    """Dollars of the tokens that the host says it trained on; None where no price is known."""
    row = training_row(profile_of(spec), base_name(spec.base_model), today, spec.host.training_type)
    return None if row is None else round(tokens * row.usd / 1e6, 4)
