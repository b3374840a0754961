"""A model of Llama-3.1-8B's shape with random weights, and a tokenizer of made-up words: speed needs no download."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WORDS = 128_256


def config(layers: int = 32) -> Any:
    """The published sizes of Llama-3.1-8B (Meta 2024)."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=WORDS,
        hidden_size=4096,
        intermediate_size=14336,
        num_hidden_layers=layers,
        num_attention_heads=32,
        num_key_value_heads=8,
        max_position_embeddings=131_072,
        rope_theta=500_000.0,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        tie_word_embeddings=False,
    )


def make(layers: int = 32) -> Any:
    """The model on the card, in bfloat16."""
    import torch
    from transformers import LlamaForCausalLM

    torch.manual_seed(0)
    with torch.device("cuda"):
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.bfloat16)
        try:
            return LlamaForCausalLM._from_config(config(layers), attn_implementation="sdpa")
        finally:
            torch.set_default_dtype(before)


def make_nf4(layers: int = 32) -> Any:
    """The same with its linear layers in NF4, double quantised, as bitsandbytes holds them."""
    import torch
    from bitsandbytes.nn import Linear4bit, Params4bit

    model = make(layers)
    for name, linear in list(model.model.layers.named_modules()):
        if not isinstance(linear, torch.nn.Linear):
            continue
        small = Linear4bit(
            linear.in_features,
            linear.out_features,
            bias=False,
            compute_dtype=torch.bfloat16,
            quant_type="nf4",
            device="meta",
        )
        weight = linear.weight.data
        small.weight = Params4bit(weight, requires_grad=False, compress_statistics=True, quant_type="nf4").cuda()
        above, _, last = name.rpartition(".")
        setattr(model.model.layers.get_submodule(above), last, small)
        linear.weight = None
    model.is_loaded_in_4bit = True  # what PEFT asks
    torch.cuda.empty_cache()
    return model


def save(folder: Path, layers: int = 32) -> None:
    """To disk, for trainers that insist on a folder."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    make(layers).save_pretrained(folder)
    words = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, **{f"w{at}": at for at in range(4, WORDS)}}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
