"""Counts with noise: OpenDP's discrete Laplace mechanism, and what it costs (ADR 44).

Rules: a family is in one cell of each table, so that with or without it the counts of all tables
together change by one a table at most (their L1 distance); noise is of whole numbers, drawn by
OpenDP from OpenSSL's generator; what it costs is what OpenDP's own privacy map says, and nothing is
drawn before it is known.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

SHARE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Mechanism:
    """Noise for a number of tables.

    Attributes:
        tables: in which a family may be counted.
        scale: of the noise.
        epsilon: what all of them cost together; the guarantee has no delta.
    """

    tables: int
    scale: float
    epsilon: float

    @property
    def error(self) -> int:
        """The least that 95 of 100 counts are off by at most: P(|X| > t) = 2 q^(t+1) / (1 + q)."""
        q = math.exp(-1 / self.scale)
        return max(0, math.ceil(math.log((1 - SHARE) * (1 + q) / 2) / math.log(q)) - 1)


def mechanism(tables: int, epsilon: float) -> Mechanism:
    """The noise that so many tables take, and what it costs.

    Args:
        tables: at least one.
        epsilon: for all of them together, above 0.
    """
    scale = tables / epsilon
    return Mechanism(tables, scale, float(_laplace(scale).map(tables)))


def noisy(counts: Sequence[int], by: Mechanism) -> list[int]:
    """Counts with noise, which may be below nought.

    Args:
        counts: of all cells of the mechanism's tables, one after the other.
        by: what was paid for.
    """
    return [int(each) for each in _laplace(by.scale)(list(counts))]


def _laplace(scale: float) -> Any:
    from opendp.domains import atom_domain, vector_domain  # noqa: PLC0415 - takes a second
    from opendp.measurements import make_laplace  # noqa: PLC0415
    from opendp.metrics import l1_distance  # noqa: PLC0415
    from opendp.mod import enable_features  # noqa: PLC0415

    enable_features("contrib")  # OpenDP's word for what its own proofs are not finished for
    return make_laplace(vector_domain(atom_domain(T="i64")), l1_distance(T="i64"), scale=scale)
