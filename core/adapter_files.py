"""What lies in an adapter's folder: the two files of an adapter, a whole model where all weights were tuned, or a
small classifier."""

from __future__ import annotations

from pathlib import Path

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
WHOLE_CONFIG = "config.json"
WHOLE_WEIGHTS = "model.safetensors"
CLASSIFIER = "classifier.json"
"""The card of a small classifier, beside `WHOLE_WEIGHTS`."""
OWN_FORM = "tuneworthy_form"
"""Key of adapter_config.json in adapters of our own form, which no other program loads."""
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "special_tokens_map.json",
    "generation_config.json",
)
"""What goes with a whole model, so that it is a base by itself."""


def is_whole_model(folder: Path) -> bool:
    """True where the folder holds a model of its own and no adapter."""
    found = (folder / CONFIG).is_file() or is_classifier(folder)
    return not found and (folder / WHOLE_CONFIG).is_file()


def is_classifier(folder: Path) -> bool:
    """True where the folder holds a small classifier, which chooses a label and writes nothing."""
    return (folder / CLASSIFIER).is_file()


def files_of(folder: Path) -> tuple[Path, Path]:
    """(settings, weights) that must be there for the folder to be of use."""
    if is_classifier(folder):
        return folder / CLASSIFIER, folder / WHOLE_WEIGHTS
    if is_whole_model(folder):
        return folder / WHOLE_CONFIG, folder / WHOLE_WEIGHTS
    return folder / CONFIG, folder / WEIGHTS


def parts_of(folder: Path) -> list[Path]:
    """All that makes up the adapter or model, without lineage and card: what goes along when it is taken away."""
    own_config = [WHOLE_CONFIG] if is_classifier(folder) else []
    more = [*own_config, *TOKENIZER_FILES] if own_config or is_whole_model(folder) else []
    return [*files_of(folder), *(folder / name for name in more if (folder / name).is_file())]
