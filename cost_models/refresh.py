"""Inference prices from the `genai-prices` package, as rows to append: `python -m cost_models.refresh`.

The package is asked here and not at run time: its import takes longer than the whole cost calculation, and a dated row
keeps the history that an old plan was made with. One call of one million tokens would cross the long-context tiers,
so a small call is priced and scaled.
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version

from cost_models.prices import PRICES_FOLDER, read_rows, rows_in_effect

MODELS = (
    ("openai", "gpt-6-luna"),
    ("openai", "gpt-5.6-luna"),
    ("openai", "gpt-6.1-terra"),
    ("openai", "gpt-6.1-sol"),
    ("openai", "gpt-4.1-mini"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-haiku-5-5"),
    ("google", "gemini-2.5-flash-lite"),
    ("mistral", "mistral-small-2603"),
)
TOKENS = 1_000
PER_MILLION = Decimal(1_000_000) / TOKENS


def current_prices(provider: str, model: str, today: date) -> dict[str, Decimal]:
    """USD per 1M tokens by part (input, cached_input, output) of a short call on a day, from genai-prices."""
    from genai_prices import Usage, calc_price  # 0.3 s to import

    noon = datetime.combine(today, time(12), tzinfo=UTC)

    def price(usage: Usage) -> Decimal:
        found = calc_price(usage, model_ref=model, provider_id=provider, genai_request_timestamp=noon)
        paid: Decimal = found.total_price
        return paid * PER_MILLION

    cached = Usage(input_tokens=TOKENS, cache_read_tokens=TOKENS)
    return {
        "input": price(Usage(input_tokens=TOKENS)),
        "cached_input": price(cached),
        "output": price(Usage(output_tokens=TOKENS)),
    }


def toml_row(provider: str, model: str, part: str, amount: Decimal, today: date) -> str:
    """One row as it stands in `prices/inference.toml`."""
    words = part.replace("_", " ")
    return (
        "[[price]]\n"
        f'item = "api.{model}.{part}"\n'
        f'amount = "{amount.normalize():f}"\n'
        f'label = "{model}: {words}"\n'
        'unit = "USD per 1M tokens"\n'
        f"valid_from = {today.isoformat()}\n"
        f"checked = {today.isoformat()}\n"
        f'source = "genai-prices {version("genai-prices")}"\n'
        f'provider = "{provider}"\n'
    )


def changed_rows(today: date) -> list[str]:
    """Rows for every price that differs from the one in effect."""
    known = rows_in_effect(read_rows(PRICES_FOLDER), today)
    rows = []
    for provider, model in MODELS:
        for part, amount in current_prices(provider, model, today).items():
            old = known.get(f"api.{model}.{part}")
            if old is None or old.amount != amount:
                rows.append(toml_row(provider, model, part, amount, today))
    return rows


if __name__ == "__main__":
    found = changed_rows(date.today())
    sys.stdout.write("\n".join(found))
    sys.stderr.write(f"{len(found)} changed prices; append them to {PRICES_FOLDER / 'inference.toml'}\n")
