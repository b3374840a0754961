"""The quick loss for processors, held against the trainer's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.jobspec import JobSpec

from .conftest import quietly


@pytest.mark.parametrize("num_items", [None, 37])
def test_the_quick_loss_and_its_gradients_are_those_of_the_trainer(
    spec: JobSpec, base: Path, tmp_path: Path, num_items: int | None
) -> None:
    import torch

    from dataset.render import Renderer
    from training.adapter import BestAdapter
    from training.plan import make_plan
    from training.report import Report
    from training.rows import load_part
    from training.watcher import Watcher

    with quietly():
        from training.trainer import build_trainer

        part = load_part(spec, str(spec.dataset), Renderer.from_folder(base), 128)
        watcher = Watcher(Report(), lambda: False, BestAdapter(tmp_path, "x", None), None)
        trainer = build_trainer(
            spec,
            make_plan(spec, base, part, Report()),
            base,
            part,
            None,
            checkpoints=tmp_path / "checkpoints",
            trackers=[],
            watcher=watcher,
            checkpoints_kept=2,
        )
        assert "compute_loss" in vars(trainer), "on a processor the quick loss takes its place"
        model = trainer.model
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.1)
        batch = next(iter(trainer.get_train_dataloader()))
        found = []
        for compute_loss in (trainer.compute_loss, type(trainer).compute_loss.__get__(trainer)):
            model.zero_grad()
            loss = compute_loss(model, dict(batch), num_items_in_batch=num_items)
            loss.backward()
            gradients = {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.requires_grad}
            found.append((loss.detach(), gradients))
    (quick, quick_gradients), (own, own_gradients) = found
    torch.testing.assert_close(quick, own)
    assert any(gradient.abs().max() > 0 for gradient in own_gradients.values())
    for name, gradient in own_gradients.items():
        torch.testing.assert_close(quick_gradients[name], gradient, rtol=1e-4, atol=1e-6)
