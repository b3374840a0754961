"""The front matter of a model card, as the Hub reads it (huggingface/hub-docs, `modelcard.md`)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from shelf.adapters import Adapter
from shelf.judgements import AXIS, TUNED, Judgement
from shelf.tuned_words import TAG, library_name

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_HUB_LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]*")


def front_matter(adapter: Adapter) -> dict[str, Any]:
    """What the Hub reads. A base that is no Hub id is left out: it would point nowhere."""
    found: dict[str, Any] = {"base_model": adapter.base_model} if _HUB_ID.fullmatch(adapter.base_model) else {}
    adapts = adapter.form == "adapter"
    if adapts or adapter.base_model:
        library = library_name(adapter.spec) if adapts else "transformers"
        found |= {"library_name": library} if library else {}
    licence = (adapter.licence or "unknown").strip().lower()
    if _HUB_LICENCE.fullmatch(licence):
        found["license"] = licence
    else:
        found |= {"license": "other", "license_name": adapter.licence}
    kind, tag = ("text-generation", TAG[adapter.spec.method.kind]) if adapts else ("text-classification", adapter.form)
    found |= {"pipeline_tag": kind, "tags": [tag, "tuneworthy"]}
    if adapter.judgement is not None:
        found["model-index"] = [{"name": adapter.name, "results": _results(adapter.judgement, kind)}]
    return found


def _results(judgement: Judgement, kind: str) -> list[dict[str, Any]]:
    """The tuned model's score on each axis, with its interval in the name: the Hub has no field for one."""
    found = []
    for axis, score in judgement.models[TUNED].items():
        words = judgement.axes[axis].words if axis in judgement.axes else axis.replace("_", " ")
        data = {"name": f"Questions on {words}", "type": f"tuneworthy-{axis.replace('_', '-')}"}
        metric = "score"
        if axis == AXIS:
            words, metric = "the task that it was tuned for", judgement.metric_words or "score"
            data = {"name": Path(judgement.test_file).name or "held-out rows", "type": "held-out-rows", "split": "test"}
            data |= {"revision": judgement.test_sha256} if judgement.test_sha256 else {}
        name = f"{metric}, 95 % interval {score.low:.2f} to {score.high:.2f} on {score.n}"
        found.append(
            {
                "task": {"type": kind, "name": words},
                "dataset": data,
                "metrics": [
                    {
                        "type": (judgement.metric or "score") if axis == AXIS else axis,
                        "value": round(score.score, 4),
                        "name": name,
                    }
                ],
            }
        )
    return found
