"""The table of the methods, as the page of the documentation shows it: `python -m training.methods.table`."""

from __future__ import annotations

from core.jobspec import DEFAULT_BASE_MODEL, MethodSpec
from cost_models.shapes import shape_of
from cost_models.trainable import trainable_parameters
from training.methods import METHODS
from training.methods.method import Method

HEAD = ("method", "trains", "share of SmolLM2-135M", "merges?", "does not go with", "learning rate and its source")


def table() -> str:
    """Markdown, one row a method, at its usual settings."""
    lines = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    lines += [f"| {' | '.join(_row(method))} |" for method in METHODS.values()]
    return "\n".join(lines)


def _row(method: Method) -> list[str]:
    shape = shape_of(DEFAULT_BASE_MODEL)
    share = trainable_parameters(shape, MethodSpec(kind=method.kind)) / shape.total_params
    merges = "it is the model" if method.form == "whole" else "yes" if method.mergeable else "no"
    forbids = "; ".join(each.words.rstrip(".") for each in method.forbids) or "nothing"
    return [
        f"`{method.kind}`, {method.label}",
        method.trains,
        f"{share:.3%}" if share < 1 else "100%",
        merges,
        forbids,
        f"{method.learning_rate:g}. {method.rate_source}",
    ]


if __name__ == "__main__":
    print(table())
