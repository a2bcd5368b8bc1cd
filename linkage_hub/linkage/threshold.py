"""What a fit says of itself, and one similarity threshold to report (docs/adr/0011-persons.md)."""

from dataclasses import dataclass

import numpy as np

from linkage_hub.linkage.candidates import Floats

MATCH = 0.5  # a pair is a match from this probability on: least expected errors


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the model expects of its own matches, without truth.

    Attributes:
        matches: number of pairs matched.
        true_pairs: expected number of true pairs between the datasets above the floor.
        precision, recall: expected, 0 to 1; recall counts only what the floor let through.
    """

    matches: int
    true_pairs: float
    precision: float
    recall: float


def estimate_of(probability: Floats) -> Estimate:
    """What pairs at or above ``MATCH`` are worth, of all whose probability is given."""
    accepted = probability[probability >= MATCH]
    expected, gained = float(probability.sum()), float(accepted.sum())
    return Estimate(
        matches=len(accepted),
        true_pairs=expected,
        precision=gained / len(accepted) if len(accepted) else 1.0,
        recall=gained / expected if expected else 1.0,
    )


def expected_threshold(similarity: Floats, probability: Floats) -> float:
    """The similarity at which matching every pair from there up maximises expected F1.

    Args:
        similarity: of the competing pairs, float64 (m,).
        probability: of a match, float64 (m,).
    """
    if not len(similarity):
        return 1.0
    order = np.argsort(-similarity, kind="stable")
    gained = np.cumsum(probability[order])
    f1 = 2.0 * gained / (np.arange(1, len(order) + 1) + max(float(probability.sum()), 1e-9))
    last = int(f1.argmax())
    return float(similarity[order[last]])
