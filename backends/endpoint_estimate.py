"""What a tournament of a hosted model will cost, before it is asked."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from core.endpoint_address import EndpointAddress
from core.errors import NotFound
from core.estimate import Estimate, RunEstimate
from core.jobspec import JobSpec
from cost_models.prices import PriceBook
from dataset.checks.tokens import CHARS_PER_TOKEN
from dataset.job_rows import read_for_job

ROWS_IN_PROMPTS = {"zero_shot": 1, "few_shot": 9, "retrieval": 4, "constrained": 9}
"""Rows that stand in one prompt of each rung at the most: the question, and up to 8 or 3 examples."""
TRIED_ROWS = 16 * (3 + 5 + 9)
"""Of the choice of the number of examples: 16 rows, each with 2, 4 and 8."""
INSTRUCTION_TOKENS = 80


def estimate_endpoint(spec: JobSpec) -> RunEstimate:
    """Dollars at list price where the price book knows the model. Memory and time are the host's own business.

    Raises what reading the rows raises, and `BadInput` for an address that cannot be read.
    """
    address = EndpointAddress.parse(spec.base_model)
    because = f"{address.model} runs at {address.host}: nothing of it is on this machine."

    def nothing(unit: str) -> Estimate:
        return Estimate(unit=unit, because=[because])

    return RunEstimate(
        memory_gib=nothing("GiB"), seconds=nothing("s"), tokens_per_second=nothing("tokens/s"), usd=_usd(spec, address)
    )


def _usd(spec: JobSpec, address: EndpointAddress) -> Estimate:
    if address.own_machine:
        because = "Your own machine: power is not counted."
        return Estimate(low=0.0, likely=0.0, high=0.0, unit="USD", because=[because])
    book, name = PriceBook.load(today=date.today()), address.model.rpartition("/")[2]
    path = spec.test or spec.validation
    try:
        asked, answered = (book.usd(f"api.{name}.{part}") for part in ("input", "output"))
    except NotFound:
        return Estimate(unit="USD", because=[f"The price book has no row for {name}."])
    if path is None or not Path(path).is_file():
        return Estimate(unit="USD", because=["No rows were counted."])
    rows = read_for_job(spec, path).rows
    count = min(len(rows), spec.n or len(rows))
    row = sum(len(each.text) for each in rows) / max(1, len(rows)) / CHARS_PER_TOKEN
    answer = sum(len(each.answer) for each in rows) / max(1, len(rows)) / CHARS_PER_TOKEN
    prompts = count * sum(ROWS_IN_PROMPTS.values()) + TRIED_ROWS
    calls = count * len(ROWS_IN_PROMPTS) + 16 * 3
    likely = ((prompts * row + calls * INSTRUCTION_TOKENS) * asked + calls * answer * answered) / 1e6
    because = f"{calls:,} calls at the list price of {name}, {CHARS_PER_TOKEN} characters a token."
    return Estimate(
        low=round(likely * 0.4, 4), likely=round(likely, 4), high=round(likely * 2, 4), unit="USD", because=[because]
    )
