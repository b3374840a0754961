"""Methods on other families of models: fused layers, head widths of their own, windows, other names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput
from core.jobspec import JobSpec
from training.methods import METHODS

from .conftest import quietly

pytestmark = pytest.mark.usefixtures("light")
SMALL = {
    "vocab_size": 120, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 128, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "heads wider than their share": ("Qwen3Config", SMALL | {"head_dim": 16}),
    "fused layers": ("Phi3Config", SMALL),
    "names of its own": ("GPT2Config", {"vocab_size": 120, "n_embd": 32, "n_layer": 2, "n_head": 4}),
    "norms behind the parts": ("Olmo2Config", SMALL),
    "windows": ("Gemma3TextConfig", SMALL | {"head_dim": 8, "sliding_window": 16}),
}
REFUSED = {("fused layers", "ia3"), ("windows", "prefix"), ("windows", "prompt")}


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_step_is_taken_and_answers_the_same_from_the_disk_or_the_base_is_refused(
    family: str, kind: str, tmp_path: Path
) -> None:
    import torch
    import transformers

    from serving.adapters import Adapters
    from serving.prefix import install
    from training.adapter import save_adapter
    from training.methods import attach

    ids = torch.arange(5, 17)[None]
    sees = {"attention_mask": torch.ones_like(ids), "use_cache": False}
    name, settings = FAMILIES[family]
    spec = JobSpec.model_validate(
        {"method": {"kind": kind, "virtual_tokens": 5} if kind == "prefix" else {"kind": kind}}
    )
    with quietly():
        torch.manual_seed(0)
        made = transformers.AutoModelForCausalLM.from_config(getattr(transformers, name)(**settings))
        made.save_pretrained(tmp_path / "base")

        def base() -> Any:
            return transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "base", dtype=torch.float32)

        if (family, kind) in REFUSED:
            with pytest.raises(BadInput):
                attach(base(), spec)
            return
        model = attach(base(), spec).train()
        model(input_ids=ids, labels=ids, **sees).loss.backward()
        torch.optim.SGD([weight for weight in model.parameters() if weight.requires_grad], lr=0.5).step()
        with torch.no_grad():
            trained = model.eval()(input_ids=ids, **sees).logits[:, -12:]
        save_adapter(model, tmp_path / "adapter", "a/base", None)
        network = base().eval()
        install(network)
        loaded = Adapters(network, "cpu")
        loaded.add("tuned", tmp_path / "adapter")
        with loaded.using("tuned") as asked, torch.no_grad():
            extra: dict[str, Any] = {}
            if asked.before is not None:
                positions = torch.arange(12)[None] + asked.before.tokens
                extra = {"shared_prefix": asked.before, "position_ids": positions}
            again = asked.network(ids, **sees, **extra).logits
        with loaded.using(None) as asked, torch.no_grad():
            plain = asked.network(ids, **sees).logits
    assert again.allclose(trained, atol=1e-4)
    assert not again.allclose(plain, atol=1e-6)
