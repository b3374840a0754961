"""A base model from the Hugging Face Hub: safetensors, config and tokenizer, and nothing that can run code."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from core.base_models import HUB_HOST
from core.errors import BaseModelUnavailable
from training.disk import bytes_in, require_free_bytes
from training.report import Report

T = TypeVar("T")
ASK_SECONDS = 3.0
POLL_SECONDS = 0.5
WANTED = frozenset(
    {
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "chat_template.jinja",
        "chat_template.json",
        "vocab.json",
        "merges.txt",
        "tokenizer.model",
        "model.safetensors.index.json",
        "LICENSE",
        "LICENSE.txt",
    }
)


class HubModel(BaseModel):
    """What the hub says about a model."""

    model: str
    commit: str
    licence: str = "unknown"
    file_bytes: dict[str, int]
    """Size of each file that we would fetch."""


class HubUnreachable(BaseModelUnavailable):
    """The hub did not answer in time, or cannot be reached at all."""


def ask_hub(model: str, revision: str | None, endpoint: str | None = None) -> HubModel:
    """Commit, licence and files of `model`, within about `ASK_SECONDS`.

    Raises `HubUnreachable`, or `BaseModelUnavailable` for a model that is not there, is gated, or has only pickles.
    """
    # In a thread, because a resolver that gets no answer can hang far longer than any time limit of the client.
    answer: list[HubModel | Exception] = []
    thread = threading.Thread(
        target=lambda: answer.append(_caught(lambda: _ask(model, revision, endpoint))), daemon=True
    )
    thread.start()
    thread.join(ASK_SECONDS + 1.0)
    if not answer:
        raise _unreachable(model, f"no answer within {ASK_SECONDS:.0f} s")
    if isinstance(answer[0], Exception):
        raise answer[0]
    return answer[0]


def fetch_snapshot(found: HubModel, target: Path, report: Report, endpoint: str | None = None) -> None:
    """Download the files of `found` into `target`. Raises `HubUnreachable` when the connection breaks."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils import disable_progress_bars

    total_bytes = sum(found.file_bytes.values())
    require_free_bytes(target, int(total_bytes * 1.1) + (1 << 26))
    report.stage(f"Fetching {found.model} from {HUB_HOST} ({total_bytes / 1e6:.0f} MB)")
    disable_progress_bars()

    def fetch() -> None:
        snapshot_download(
            found.model,
            revision=found.commit,
            local_dir=target,
            allow_patterns=sorted(found.file_bytes),
            etag_timeout=10,
            endpoint=endpoint,
        )

    problem: list[Exception | None] = []
    thread = threading.Thread(target=lambda: problem.append(_caught(fetch)), daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(POLL_SECONDS)
        report.progress("Fetching the model", min(bytes_in(target), total_bytes), total_bytes)
    if isinstance(problem[0], OSError) and not isinstance(problem[0], ConnectionError) and problem[0].errno:
        raise problem[0]
    if isinstance(problem[0], Exception):
        raise _unreachable(found.model, f"the download broke off ({type(problem[0]).__name__})") from problem[0]
    report.progress("Fetching the model", min(bytes_in(target), total_bytes), total_bytes)
    shutil.rmtree(target / ".cache", ignore_errors=True)


def _ask(model: str, revision: str | None, endpoint: str | None) -> HubModel:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        info = HfApi(endpoint=endpoint).model_info(model, revision=revision, timeout=ASK_SECONDS, files_metadata=True)
    except GatedRepoError as error:
        raise BaseModelUnavailable(
            f"`{model}` asks for a login and an accepted licence.", "Download it yourself and give its folder."
        ) from error
    except RepositoryNotFoundError as error:
        raise BaseModelUnavailable(f"there is no model `{model}` on {HUB_HOST}.", "Check its spelling.") from error
    except RevisionNotFoundError as error:
        raise BaseModelUnavailable(f"`{model}` has no revision `{revision}`.", "Leave the revision empty.") from error
    except Exception as error:
        raise _unreachable(model, type(error).__name__) from error
    files = {file.rfilename: file.size or 0 for file in info.siblings or []}
    wanted = {name: size for name, size in files.items() if name in WANTED or _is_weight(name)}
    if not any(_is_weight(name) for name in wanted):
        raise BaseModelUnavailable(
            f"`{model}` has no safetensors weights.", "Choose a model that has: pickle weights can run code."
        )
    if "tokenizer.json" not in wanted:
        raise BaseModelUnavailable(f"`{model}` has no tokenizer.json.", "Choose a model with a fast tokenizer.")
    licence = getattr(info.card_data, "license", None) or "unknown"
    return HubModel(model=model, commit=info.sha or revision or "main", licence=str(licence), file_bytes=wanted)


def _is_weight(name: str) -> bool:
    return name.endswith(".safetensors") and "/" not in name and not name.startswith("adapter")


def _caught(call: Callable[[], T]) -> T | Exception:
    try:
        return call()
    except Exception as error:
        return error


def _unreachable(model: str, why: str) -> HubUnreachable:
    return HubUnreachable(
        f"{HUB_HOST} could not be reached for `{model}`: {why}.",
        "Check the network, or give `base_model` a folder with the model.",
    )
