"""Small sentence-transformers models with random weights, made in a second: other engines for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense
from sentence_transformers.base.modules.normalize import Normalize
from sentence_transformers.base.modules.transformer import Transformer
from sentence_transformers.sentence_transformer.modules.pooling import Pooling
from transformers import BertConfig, BertModel, BertTokenizerFast

MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]
WINDOW_TOKENS = 32


def tiny_model(
    folder: Path,
    *,
    pooling: str = "cls",
    dense: bool = False,
    dimension: int = 16,
    seed: int = 1,
    vocabulary: str = "退货发快递尺码色",
) -> Path:
    """Write such a model into `folder`; it knows Latin letters and the signs of `vocabulary`."""
    parts = folder.with_name(f"{folder.name}-parts")
    parts.mkdir(parents=True)
    words = [*MARKS, *LETTERS, *(f"##{letter}" for letter in LETTERS), *dict.fromkeys(vocabulary)]
    (parts / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    BertTokenizerFast(vocab=str(parts / "vocab.txt")).save_pretrained(parts)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=dimension,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=WINDOW_TOKENS,
    )
    BertModel(config).save_pretrained(parts)
    modules: list[Any] = [Transformer(str(parts), max_seq_length=WINDOW_TOKENS)]
    modules.append(Pooling(dimension, pooling_mode=pooling))
    if dense:
        modules.append(Dense(dimension, 8))
    modules.append(Normalize())
    SentenceTransformer(modules=modules, device="cpu").save(str(folder))
    return folder
