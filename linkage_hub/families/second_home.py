"""Children in two homes: a child belongs to a family at a second current address, too.

Evidence is the surname at the other address, or a parent or guardian recognised by a mention who
lives with another family.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linkage_hub.families.evidence import PersonEvidence
from linkage_hub.families.mentions import Link
from linkage_hub.families.residence import Stay

Guests = dict[int, dict[int, str]]  # family: child: reason


def second_homes(
    people: Sequence[PersonEvidence],
    stays: Sequence[Sequence[Stay]],
    links: Sequence[Link],
    institutional: frozenset[bytes],
    family_of: NDArray[np.int64],
) -> Guests:
    """Children who also belong to a family that is not their primary one."""
    guests: Guests = defaultdict(dict)
    tokens = _family_tokens(stays, institutional, family_of)
    for child, own in enumerate(stays):
        if not people[child].is_child:
            continue
        for family in _families_elsewhere(own, tokens):
            if family != family_of[child]:
                guests[family].setdefault(child, "second_home_same_surname")
    for parent, child in _declared(links):
        family = int(family_of[parent])
        if people[child].is_child and family != family_of[child]:
            guests[family].setdefault(child, "second_home_mention")
    return guests


def _family_tokens(
    stays: Sequence[Sequence[Stay]], institutional: frozenset[bytes], family_of: NDArray[np.int64]
) -> dict[bytes, int]:
    """The family that lives under each token of address and surname."""
    tokens: dict[bytes, int] = {}
    for person, own in enumerate(stays):
        if own and own[0].current and own[0].household not in institutional:
            for token in own[0].families:
                tokens.setdefault(token, int(family_of[person]))
    return tokens


def _families_elsewhere(own: Sequence[Stay], tokens: dict[bytes, int]) -> list[int]:
    return [
        tokens[token]
        for stay in own[1:]
        if stay.current
        for token in sorted(stay.families)
        if token in tokens
    ]


def _declared(links: Sequence[Link]) -> list[tuple[int, int]]:
    """Pairs of parent or guardian, and child."""
    pairs = []
    for asker, named, relation in links:
        if relation in {"parent", "guardian"}:
            pairs.append((named, asker))
        elif relation == "child":
            pairs.append((asker, named))
    return pairs
