"""A train job can leave a small classifier: the classic form, and an encoder that is fine-tuned."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput, EngineError, Refused
from core.home import new_id
from core.job import Result
from core.jobspec import ENCODER_DEFAULTS, JobSpec
from core.run_folder import RunFolder
from serving.classifier import load_classifier, read_card
from shelf.lineage import read_lineage
from training.classifier_specs import check_classifier_spec
from training.specs import check_train_spec
from training.stop import Stopped

from .conftest import COLOURS, NeverAbrupt, colour_rows, quietly, write_rows

Run = Callable[..., tuple[Result, RunFolder]]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "please", "paint", "the", "it", "stands", "by", *COLOURS]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Steps this small are slower on two threads, and many times slower where the cores have other work."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one small layer with random weights, and a tokenizer of whole words."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    tokenizer = Tokenizer(models.WordPiece({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    with quietly():
        import torch

        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(WORDS),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=32,
            initializer_range=0.3,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        BertModel(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"} | names))
    return folder


@pytest.fixture
def colours(tmp_path: Path) -> JobSpec:
    """Which colour? 36 training and 12 validation rows."""
    rows = [
        {"messages": [row["messages"][0], {"role": "assistant", "content": row["messages"][1]["content"].split()[0]}]}
        for row in colour_rows()
    ]
    return JobSpec(
        learner="classic",
        dataset=write_rows(tmp_path / "train.jsonl", rows[:36]),
        validation=write_rows(tmp_path / "validation.jsonl", rows[36:]),
        device="cpu",
        allow_network=False,
    )


@pytest.fixture
def run() -> Run:
    def made(spec: JobSpec, stop: Any = lambda: False) -> Any:
        from training.classifier import run_classifier
        from training.report import Report

        folder = RunFolder.create(new_id("job"), spec)
        with quietly():
            return run_classifier(spec, folder, Report(folder), stop, NeverAbrupt()), folder  # type: ignore[arg-type]

    return made


@pytest.fixture
def tuned(colours: JobSpec, encoder: Path) -> JobSpec:
    """The same with the encoder, on a rate that random weights take."""
    return colours.model_copy(
        update={"learner": "encoder", "encoder": str(encoder), "learning_rate": 1e-2, "epochs": 8.0, "micro_batch": 8}
    )


def test_a_classic_job_leaves_a_classifier_with_its_lineage(colours: JobSpec, run: Run) -> None:
    result, folder = run(colours)
    assert result.classifier == str(folder.classifier) and result.adapter is None
    assert result.metrics["rows"] == 36 and result.metrics["labels"] == 4
    assert result.metrics["validation_score"] == 1.0
    assert load_classifier(folder.classifier).sort(["a green boat, please"])[0].label == "green"
    told = read_lineage(folder.path)
    assert told is not None and told.dataset_sha256 and told.base_model is None
    assert (folder.classifier / "lineage.json").read_bytes() == (folder.path / "lineage.json").read_bytes()
    assert not list(folder.classifier.glob("*.p*kl*"))


def test_the_same_rows_and_seed_give_the_same_numbers(colours: JobSpec, run: Run) -> None:
    weights = [(run(colours)[1].classifier / "model.safetensors").read_bytes() for _ in range(2)]
    assert weights[0] == weights[1]


def test_an_encoder_learns_to_tell_colours(tuned: JobSpec, run: Run) -> None:
    result, folder = run(tuned)
    assert result.metrics["validation_score"] == 1.0
    assert result.metrics["first_loss"] > 1.0 and result.metrics["validation_loss"] < 0.2
    assert result.measured.tokens_per_second
    card = read_card(folder.classifier)
    assert (card.form, card.labels, card.max_tokens) == ("encoder", sorted(COLOURS), 32)
    classifier = load_classifier(folder.classifier)
    said = classifier.sort(["Please paint the roof blue.", "red", "green " * 60])
    assert [each.label for each in said] == ["blue", "red", "green"]
    assert [each.cut for each in said] == [False, False, True] and all(0 < each.share <= 1 for each in said)
    told = read_lineage(folder.path)
    assert told is not None and told.base_model == tuned.encoder
    losses = [event for event in folder.events() if event.kind == "validation"]
    assert losses[-1].values["validation_loss"] < losses[0].values["validation_loss"]


def test_an_encoder_that_gets_no_better_is_stopped_and_its_best_is_kept(tuned: JobSpec, run: Run) -> None:
    # At this rate it is soon thrown off: the first validations are the best.
    result, folder = run(tuned.model_copy(update={"learning_rate": 0.3, "early_stopping": 2, "epochs": 40.0}))
    assert result.metrics["steps"] < 200 and any("Stopped early" in note for note in result.notes)
    assert result.metrics["adapter_step"] < result.metrics["steps"]
    losses = {event.step: event.values["validation_loss"] for event in folder.events() if event.kind == "validation"}
    assert result.metrics["adapter_step"] == min(losses, key=lambda step: losses[step])
    assert result.metrics["validation_loss"] == pytest.approx(min(losses.values()))


def test_the_seed_decides_the_encoder(tuned: JobSpec, run: Run) -> None:
    short = tuned.model_copy(update={"epochs": 1.0})
    losses = [run(short.model_copy(update={"seed": seed}))[0].metrics["train_loss"] for seed in (7, 7, 8)]
    assert losses[0] == losses[1] != losses[2]


def test_a_stopped_encoder_leaves_nothing_and_says_so(tuned: JobSpec, run: Run) -> None:
    asked = iter([False, False, True])
    with pytest.raises(Stopped) as stopped:
        run(tuned, stop=lambda: next(asked))
    assert "nothing is kept" in stopped.value.args[0].notes[-1] and stopped.value.args[0].classifier is None


def test_a_loss_that_is_no_number_names_step_and_rows(tuned: JobSpec, run: Run, monkeypatch: Any) -> None:
    import torch

    monkeypatch.setattr(torch.nn.functional, "cross_entropy", lambda logits, *_, **__: logits.sum() * float("nan"))
    with pytest.raises(EngineError, match=r"no longer a number at step 1 \(usable rows \d+"):
        run(tuned)


def test_free_answers_are_no_labels(colours: JobSpec, run: Run, train_file: str) -> None:
    with pytest.raises(BadInput, match="40 rows have 40 different answers"):
        run(colours.model_copy(update={"dataset": train_file}))


def test_a_changed_file_is_refused(colours: JobSpec, run: Run) -> None:
    with pytest.raises(Refused, match="has changed"):
        run(colours.model_copy(update={"dataset_sha256": "0" * 64}))


def test_a_folder_that_is_no_encoder_is_refused(tuned: JobSpec, run: Run, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (odd / name).write_text("{}")
    (odd / "model.safetensors").write_bytes(b"no numbers")
    with pytest.raises(BadInput, match="cannot be opened as an encoder"):
        run(tuned.model_copy(update={"encoder": str(odd)}))


def test_what_a_classifier_cannot_honour_is_said_at_once() -> None:
    asked = JobSpec(learner="encoder", resume_of="job-1", n_gpus=2, report_to=["mlflow"], early_stopping=2)
    assert [problem.where for problem in check_train_spec(asked)] == [
        "encoder", "resume_of", "n_gpus", "report_to", "early_stopping",
    ]  # fmt: skip
    assert check_train_spec(JobSpec(learner="classic", dataset="rows.jsonl")) == []
    hot = JobSpec(learner="encoder", encoder="a/b", learning_rate=0.01)
    assert [(problem.where, problem.severity) for problem in check_classifier_spec(hot)] == [
        ("learning_rate", "warning")
    ]


def test_an_encoder_takes_gentle_steps_unless_told_otherwise() -> None:
    spec = JobSpec(learner="encoder", encoder="a/b")
    assert (spec.learning_rate, spec.epochs) == tuple(ENCODER_DEFAULTS.values())
    assert JobSpec(learner="encoder", epochs=2).epochs == 2
    assert JobSpec.model_validate_json(spec.model_dump_json()) == spec
    assert JobSpec().learning_rate == JobSpec(learner="classic").learning_rate == 1e-3
