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

from linkage_hub.analytics.risk.errors import AccountantsDiffer

SHARE: Final = 0.95
AGREE: Final = 0.02
"""The most that two accountants' epsilon may differ by (issue E)."""


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
        """The least that 95 of 100 counts are off by at most."""
        return off_by(self.scale, SHARE)


def off_by(scale: float, share: float) -> int:
    """The least that noise is off by at most, this often: P(|X| > t) = 2 q^(t+1) / (1 + q)."""
    q = math.exp(-1 / scale)
    return max(0, math.ceil(math.log((1 - share) * (1 + q) / 2) / math.log(q)) - 1)


def second_cost(by: Mechanism, delta: float) -> float:
    """What dp-accounting says that the same noise costs, which OpenDP's map has to agree with.

    Raises:
        AccountantsDiffer: it does not.
    """
    from dp_accounting.pld import privacy_loss_distribution  # noqa: PLC0415 - takes a second

    lost = privacy_loss_distribution.from_discrete_laplace_mechanism(
        1 / by.scale, sensitivity=by.tables
    )
    found = float(lost.get_epsilon_for_delta(delta))
    if abs(found - by.epsilon) > AGREE:
        raise AccountantsDiffer("the two accountants of privacy do not agree; nothing is measured")
    return found


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
