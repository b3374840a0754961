"""Choices as the judge weighs them beside lm-eval: the same picks, the same log-probabilities, and the seconds of each.

    python -m benchmarks.knowledge_agreement [--questions 240] [--general-set FILE] [--precision bfloat16]

lm-eval is asked through its Python interface on plain transformers, with a task of our own built from the same
questions; ours has the same weights in a model of its own. In float32 only the order of sums differs; in bfloat16 both
sides round. lm-eval 0.4.13 is no need of the project: put it in a folder of its own with `pip install --target` and run
with `PYTHONPATH` set to that. Needs the prepared default model.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.here import here
from core.base_models import locate
from core.jobspec import DEFAULT_BASE_MODEL
from dataset.render import Renderer
from evaluation.axes import knowledge
from evaluation.axes.general_set import general_set
from evaluation.axes.question import Question

TASK = "choices_of_ours"
YAML = """\
task: {task}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {file}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: text
doc_to_choice: choices
doc_to_target: right
metric_list: [{{metric: acc}}]
"""
"""`{task}` is our name, `{file}` a JSON string. A space between question and choice is lm-eval's own default."""
WARM_UP = 12
"""Questions weighed before the clock starts, on both sides."""
Weighed = tuple[list[list[float]], float]
"""Log-probability of each choice of each question, and the seconds that weighing took."""


def ours(model: Any, renderer: Renderer, asked: Sequence[Question]) -> Weighed:
    """As the judge does it, cutting into tokens included."""
    started = time.perf_counter()
    found = dict(model.likelihoods([knowledge.encoded(question, renderer) for question in asked]))
    return [found[at] for at in range(len(asked))], time.perf_counter() - started


def theirs(network: Any, tokenizer: Any, asked: Sequence[Question], batch: int, folder: Path) -> Weighed:
    """lm-eval's own numbers. Only its weighing is timed: not reading the task, and not its error bars."""
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    class Timed(HFLM):  # type: ignore[misc]
        seconds = 0.0

        def loglikelihood(self, *args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            found = super().loglikelihood(*args, **kwargs)
            self.seconds = time.perf_counter() - started
            return found

    file = folder / "questions.jsonl"
    rows = [
        {
            "text": question.text,
            "choices": [each.removeprefix(" ") for each in question.choices],
            "right": question.right,
        }
        for question in asked
    ]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (folder / "task.yaml").write_text(YAML.format(task=TASK, file=json.dumps(str(file))), encoding="utf-8")
    model = Timed(pretrained=network, tokenizer=tokenizer, batch_size=batch)
    tasks = TaskManager(include_path=str(folder), include_defaults=False)
    found = simple_evaluate(model=model, tasks=[TASK], task_manager=tasks, log_samples=True, bootstrap_iters=0)
    samples = sorted(found["samples"][TASK], key=lambda sample: sample["doc_id"])
    weighed = [[float(value) for value, _ in sample["filtered_resps"]] for sample in samples]
    right = [knowledge.pick(each) == question.right for each, question in zip(weighed, asked, strict=True)]
    assert [bool(sample["acc"]) for sample in samples] == right, "lm-eval picks by another rule"
    return weighed, model.seconds


def row(name: str, asked: Sequence[Question], mine: Weighed, other: Weighed) -> str:
    """Same picks, right answers of both, the largest difference, seconds of both, the ratio. Other picks are named."""
    picks = [[knowledge.pick(each) for each in side] for side, _ in (mine, other)]
    apart = [question.id for question, one, two in zip(asked, *picks, strict=True) if one != two]
    right = [sum(at == question.right for at, question in zip(side, asked, strict=True)) for side in picks]
    pairs = zip(mine[0], other[0], strict=True)
    largest = max(abs(one - two) for each, same in pairs for one, two in zip(each, same, strict=True))
    same = f"{len(asked) - len(apart)} of {len(asked)}"
    text = f"| {name} | {same} | {right[0]}, {right[1]} | {largest:.1g} | {mine[1]:.1f} s, {other[1]:.1f} s |"
    return f"{text} {other[1] / mine[1]:.1f} |" + (f" other picks: {', '.join(apart)}" if apart else "")


def main() -> int:
    """Print a row for each batch size of lm-eval. Ours takes its turn before and after it, and the mean counts."""
    parser = argparse.ArgumentParser(description="Our weighing of choices beside lm-eval.")
    parser.add_argument("--questions", type=int, default=240)
    parser.add_argument("--general-set", type=Path)
    parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16, 64])
    args = parser.parse_args()
    base = locate(DEFAULT_BASE_MODEL).path
    if base is None or find_spec("lm_eval") is None:
        hint = "pip install --target FOLDER lm-eval==0.4.13, then set PYTHONPATH=FOLDER"
        print("Prepare the default model: python -m training.prepare" if base is None else hint, file=sys.stderr)
        return 2
    among = general_set(args.general_set).questions if args.general_set else None
    asked = knowledge.questions(args.questions, among)
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from serving.model import ChatModel

    model, renderer = ChatModel.load(base, precision=args.precision), Renderer.from_folder(base)
    network = AutoModelForCausalLM.from_pretrained(base, dtype=getattr(torch, args.precision)).eval()
    tokenizer = AutoTokenizer.from_pretrained(base)
    print(here("torch", "transformers", "lm_eval"), flush=True)
    ours(model, renderer, asked[:WARM_UP])
    for batch in args.batches:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["HF_DATASETS_CACHE"] = folder
            theirs(network, tokenizer, asked[:WARM_UP], batch, Path(folder))
            before = ours(model, renderer, asked)
            other = theirs(network, tokenizer, asked, batch, Path(folder))
            mine = (before[0], (before[1] + ours(model, renderer, asked)[1]) / 2)
        print(row(f"{args.precision}, lm-eval's batch {batch}", asked, mine, other), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
