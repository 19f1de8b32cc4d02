"""Questions whose answers are known: what a decision is fitted and measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Questions in the order they are asked; equal labels mean that one answer serves both.

    `vectors` is float32 of shape (questions, dimension), unit rows.
    """

    texts: Sequence[str]
    labels: Sequence[str]
    vectors: Vectors
