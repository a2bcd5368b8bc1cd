"""Who is meant by a mention: the share of its bits that a record's encoding also has.

A mention holds fewer fields than a record, so Dice would punish what it leaves out; containment
|a AND m| / |m| does not. People at the same home are asked first, with a lower demand, since a
stranger there is unlikely; then everyone, where only a clear winner counts.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from linkage_hub.families.evidence import PersonEvidence

AT_HOME = 0.85  # containment demanded of a member of the same household
ANYWHERE = 0.95  # of anyone else
MARGIN_AT_HOME = 0.01  # lead over the second-best person
MARGIN_ANYWHERE = 0.03

Link = tuple[int, int, str]  # the person whose record names, the person named, relation
_Question = tuple[int, str, NDArray[np.uint8]]


def resolve_mentions(
    people: Sequence[PersonEvidence], neighbours: Mapping[int, Sequence[int]]
) -> list[Link]:
    """Recognise the people whom records name.

    Args:
        people: evidence of all persons.
        neighbours: for each person the others at its current homes.

    Returns:
        Sorted links, each once.
    """
    found: set[Link] = set()
    open_questions: list[_Question] = []
    for number, person in enumerate(people):
        for mention in person.mentions:
            near = neighbours.get(number, ())
            named = _best_of(people, near, mention.encoding, AT_HOME, MARGIN_AT_HOME)
            if named is None:
                open_questions.append((number, mention.relation, mention.encoding))
            else:
                found.add((number, named, mention.relation))
    found.update(_ask_everyone(people, open_questions))
    return sorted(found)


def containment(records: NDArray[np.uint8], mention: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Share of the mention's bits that each record has, float64 (n,)."""
    ones = int(np.bitwise_count(mention).sum(dtype=np.int64))
    if not ones:
        return np.zeros(len(records))
    common = np.bitwise_count(records & mention).sum(axis=1, dtype=np.int64)
    return np.asarray(common / ones, dtype=np.float64)


def _best_of(
    people: Sequence[PersonEvidence],
    candidates: Sequence[int],
    mention: NDArray[np.uint8],
    demand: float,
    margin: float,
) -> int | None:
    scores = sorted(
        (
            (float(containment(people[number].encodings, mention).max()), -number)
            for number in candidates
            if len(people[number].encodings)
        ),
        reverse=True,
    )
    if not scores or scores[0][0] < demand:
        return None
    if len(scores) > 1 and scores[0][0] - scores[1][0] < margin:
        return None
    return -scores[0][1]


def _ask_everyone(people: Sequence[PersonEvidence], questions: Sequence[_Question]) -> list[Link]:
    owners = np.repeat(np.arange(len(people)), [len(person.encodings) for person in people])
    if not questions or not len(owners):
        return []
    records = _words(np.concatenate([p.encodings for p in people if len(p.encodings)]))
    links = []
    for asker, relation, encoding in questions:
        named = _winner(records, owners, _words(encoding[None, :])[0], asker)
        if named is not None:
            links.append((asker, named, relation))
    return links


def _winner(
    records: NDArray[np.uint64], owners: NDArray[np.int64], mention: NDArray[np.uint64], asker: int
) -> int | None:
    ones = int(np.bitwise_count(mention).sum(dtype=np.int64))
    if not ones:
        return None
    common = np.bitwise_count(records & mention).sum(axis=1, dtype=np.int64)
    share = common / ones
    share[owners == asker] = 0.0
    best = int(share.argmax())
    if share[best] < ANYWHERE:
        return None
    others = share[owners != owners[best]]
    if len(others) and share[best] - float(others.max()) < MARGIN_ANYWHERE:
        return None
    return int(owners[best])


def _words(encodings: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The same bits in 64-bit words where the width allows, for speed."""
    spare = -encodings.shape[1] % 8
    padded = np.pad(encodings, ((0, 0), (0, spare))) if spare else encodings
    return np.ascontiguousarray(padded).view(np.uint64)
