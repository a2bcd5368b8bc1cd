"""Who lived at which address and when, one row a person and address, from all statements.

A beginning that equals the last one that its source states is the month of the extract, so it is
not known (the agent writes that month where it knows none). An address is current while any
record leaves it open. An address with more people at one time than the size limit is
institutional: a care home, a hostel, a house of many.
"""

from dataclasses import dataclass

import numpy as np

from linkage_hub.families.columns import OPEN, Bools, Ints, Statements


@dataclass(frozen=True, slots=True)
class Stays:
    """Stays sorted by household, then person; k rows.

    Attributes:
        person, household: int64 (k,).
        first: earliest beginning that is known, else the earliest month of an extract, int64 (k,).
        last: int64 (k,); ``OPEN`` while current.
        dated: whether a beginning is known, bool (k,).
        records: statements joined, int64 (k,).
        start: row at which each household begins, int64 (households + 1,).
        kin_start: where the kin tokens of each stay begin, int64 (k + 1,).
        kin: tokens that tell surnames apart, ascending within a stay, int64 (m,).
    """

    person: Ints
    household: Ints
    first: Ints
    last: Ints
    dated: Bools
    records: Ints
    start: Ints
    kin_start: Ints
    kin: Ints


def stays_of(statements: Statements, household: Ints, households: int) -> Stays:
    """Join statements of one person about one address.

    Args:
        statements: of all persons.
        household: of each statement, once slips of the pen are put right, int64 (s,); -1 for
            those left out.
        households: how many there are.
    """
    placed = household >= 0
    order = np.lexsort((statements.person, household))[len(household) - int(placed.sum()) :]
    person, home = statements.person[order], household[order]
    fresh = _changes(person) | _changes(home)
    begins = np.flatnonzero(fresh)
    stay_of = np.full(len(household), -1, dtype=np.int64)
    stay_of[order] = np.cumsum(fresh) - 1
    known = is_dated(statements)[order]
    first, last = statements.first[order], statements.last[order]
    dated = np.logical_or.reduceat(known, begins) if len(begins) else known[:0]
    known_first = _reduced(np.minimum, np.where(known, first, OPEN), begins)
    any_first = _reduced(np.minimum, first, begins)
    names = _names(statements, stay_of)
    return Stays(
        person=person[begins],
        household=home[begins],
        first=np.where(dated, known_first, any_first),
        last=_reduced(np.maximum, last, begins),
        dated=dated,
        records=np.diff(np.append(begins, len(order))),
        start=np.searchsorted(home[begins], np.arange(households + 1)),
        kin_start=np.searchsorted(names[:, 0], np.arange(len(begins) + 1)),
        kin=np.ascontiguousarray(names[:, 1]),
    )


def _names(statements: Statements, stay_of: Ints) -> Ints:
    """Stay and token of everything that two people of one surname at one home share.

    Near tokens hold the surname, too, and agree although one address was mistyped.
    """
    most = int(statements.kin.max(initial=-1)) + 1
    row, kind = np.nonzero(statements.near >= 0)
    near = statements.near[row, kind] * statements.near.shape[1] + kind + most
    stays = np.concatenate([stay_of[statements.kin_of], stay_of[row]])
    names = np.stack([stays, np.concatenate([statements.kin, near])], axis=1)
    return np.unique(names[stays >= 0], axis=0)


def is_dated(statements: Statements) -> Bools:
    """Whether a statement's beginning is known, bool (s,)."""
    if not len(statements.first):
        return np.zeros(0, dtype=np.bool_)
    extracted = np.full(int(statements.source.max()) + 1, -1, dtype=np.int64)
    np.maximum.at(extracted, statements.source, statements.first)
    return np.asarray(statements.first < extracted[statements.source], dtype=np.bool_)


def institutional(stays: Stays, size_limit: int) -> Bools:
    """Addresses with more than ``size_limit`` people at one time, bool (households,).

    Where beginnings are known, people count while they stayed; those of whom no date is known
    count only where nobody's is.
    """
    households = len(stays.start) - 1
    some_dated = np.zeros(households, dtype=np.bool_)
    some_dated[stays.household[stays.dated]] = True
    counted = stays.dated | (~some_dated[stays.household] & (stays.last == OPEN))
    home = stays.household[counted]
    events = np.concatenate([stays.first[counted], stays.last[counted] + 1])
    change = np.repeat([1, -1], len(home))
    homes = np.concatenate([home, home])
    order = np.lexsort((change, events, homes))  # who leaves does so before others come
    running = np.cumsum(change[order])  # each home's changes sum to zero
    peak = np.zeros(households, dtype=np.int64)
    np.maximum.at(peak, homes[order], running)
    return np.asarray(peak > size_limit, dtype=np.bool_)


def _changes(values: Ints) -> Bools:
    return np.append(True, values[1:] != values[:-1])[: len(values)]


def _reduced(ufunc: np.ufunc, values: Ints, begins: Ints) -> Ints:
    return np.asarray(ufunc.reduceat(values, begins) if len(begins) else values[:0], np.int64)
