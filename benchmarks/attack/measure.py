"""How many people an attacker names: its list laid over the encodings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.attack.graphs import encoded, expected_layers, layers_of, own_secrets
from benchmarks.attack.lists import Target
from benchmarks.attack.matching import matched, objective
from governance.agreements.encoding import Hardening


@dataclass(frozen=True)
class Named:
    """What one attack came to.

    Attributes:
        known: share of the common people whose encoding was known.
        share: of the other common people, those who were named.
        truth: objective of the true arrangement over the one that was found, where the list is
            complete, else NaN. Over one, a better search would find more; under one, a wrong
            arrangement fits better than the truth, and no search helps.
    """

    known: float
    share: float
    truth: float


def named(
    document: dict[str, Any],
    parameters: Hardening | None,
    target: Target,
    known: Sequence[float],
    secret: bytes,
) -> list[Named]:
    """Attack with each share of people known.

    Args:
        document: the agreement's linkage schema.
        parameters: of profile hardened; None is ``clk``.
        target: both sides, in random order; the first are known.
        known: shares of the common people.
        secret: of the agreement; the attacker does not have it.
    """
    people = expected_layers(document, parameters, target.listed, own_secrets())
    encodings = layers_of(encoded(document, parameters, target.submitted, secret))
    size, common = len(target.submitted), target.common
    found = []
    for share in known:
        seeds = int(share * common)
        shuffled = np.random.default_rng(1).permutation(np.arange(seeds, size))
        order = np.concatenate([np.arange(seeds), shuffled])
        hidden = [layer[np.ix_(order, order)] for layer in encodings]
        taken = matched(people, hidden, seeds)[:common]
        who = np.append(order, np.full(max(0, len(target.listed) - size), -1))  # nobody's encoding
        right = float((who[taken] == np.arange(common))[seeds:].mean())
        truth = float("nan")
        if common == size == len(target.listed):
            truth = objective(people, hidden, np.argsort(order)) / objective(people, hidden, taken)
        found.append(Named(share, right, truth))
    return found
