"""Names of people in a text, by presidio-analyzer and a spaCy model that is installed already. Nothing is fetched."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from core.errors import BadInput

Finder = Callable[[str], list[str]]
"""Text to the names of people in it, in clear: whoever calls it masks them."""


def person_finder(model: str) -> Finder:
    """A finder on a spaCy model: the name of an installed package (`en_core_web_sm`) or a folder.

    Raises `BadInput` where the extra or the model is not installed.
    """
    if find_spec("presidio_analyzer") is None:
        raise BadInput("names are found by presidio-analyzer, which is not installed.", "`pip install -e '.[pii]'`.")
    import spacy

    # Presidio would download a model that it does not find.
    if Path(model).is_dir():
        folder = Path(model)
    elif spacy.util.is_package(model):
        folder = Path(spacy.util.get_package_path(model))
    else:
        raise BadInput(f"the spaCy model `{model[:80]}` is not installed.", "Install one, and give its name or folder.")
    try:
        language = str(spacy.util.load_meta(folder / "meta.json")["lang"])
        return _finder(model, language)
    except (OSError, KeyError, ValueError) as error:
        raise BadInput(f"`{model[:80]}` is no spaCy model that can be used.", "Give another one.") from error


def _finder(model: str, language: str) -> Finder:
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer

    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)  # it warns of labels that are not asked for
    # Only the recognizer of the model's own labels: those of addresses would fetch a list of public suffixes.
    recognizer = SpacyRecognizer(supported_language=language, supported_entities=["PERSON"])
    analyzer = AnalyzerEngine(
        nlp_engine=SpacyNlpEngine(models=[{"lang_code": language, "model_name": model}]),
        registry=RecognizerRegistry(recognizers=[recognizer], supported_languages=[language]),
        supported_languages=[language],
    )

    def find(text: str) -> list[str]:
        found = analyzer.analyze(text, language=language, entities=["PERSON"])
        return [text[each.start : each.end] for each in sorted(found, key=lambda each: each.start)]

    return find
