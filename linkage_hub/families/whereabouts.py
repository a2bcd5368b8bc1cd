"""Whether families live in the county still, as far as anybody tells.

A row without an end says that an address holds, or only that nobody ever wrote an end. Which of
the two it is, a source's other rows tell: where another source that writes ends knows the same
person at the same address, open words of a source whose ends can be relied on are seldom denied,
and those of a register that keeps old rows are denied as often as people move. So no list of
current sources has to be declared, and a source that stops writing ends loses its word by itself.

A family

- is *here* where a source that can be relied on leaves an address of a member's open, no other
  tells of that person's end there, and no other family began there later;
- has *left* where every address that is known of it has ended, by rows about any of its members,
  and no source that can be relied on withholds an address of a member's (a protected person);
- else is *untold*: it is put forward as before, and shown as such (ADR 50).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from linkage_hub.families.columns import (
    HERE,
    LEFT,
    NEVER,
    UNTOLD,
    Bools,
    Evidence,
    Ints,
    Statements,
)
from linkage_hub.families.residence import is_dated
from linkage_hub.families.result import FamilyResult

RELIED_ON: Final = 0.8  # least share of a source's open words that stand where they can be checked
CHECKED: Final = 20  # least open words that a share is told from


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What is known of where families are.

    Attributes:
        state: of each family, int8 (f,), codes of ``RESIDENCE``.
        told: the last month for which a source tells that the family was at an address: of one
            that is here the newest month that the source's rows name, int64 (f,); ``NEVER`` where
            nobody tells.
    """

    state: NDArray[np.int8]
    told: Ints

    @property
    def resident(self) -> Bools:
        """Here or untold, bool (f,): nobody is left out because a source is silent."""
        return np.asarray(self.state != LEFT)


def whereabouts_of(evidence: Evidence, found: FamilyResult, month: int) -> Whereabouts:
    """Where all families are.

    Args:
        evidence: that the families were built from.
        found: the families.
        month: of the run, ``12 * year + (month - 1)``.
    """
    said, count = evidence.statements, found.count
    placed = found.stated >= 0
    rows = _Rows(said, found.stated, len(evidence.tokens), placed & (said.last >= month), placed)
    relied = relied_on(rows, said.source)
    of_source = relied[said.source] if len(said.source) else placed
    family = found.family_of[said.person]
    own, shared = said.person * rows.homes + rows.household, family * rows.homes + rows.household
    # an end denies what began before it; what has no beginning, by one relied on, holds today
    began = np.where(is_dated(said), said.first, np.where(of_source, month, NEVER))
    firm = rows.open & of_source & ~rows.ended_since(own, began)
    firm &= ~_followed(rows, shared, firm & ~evidence.is_child[said.person], found.institutional)
    weak = rows.open & ~firm & (of_source | ~rows.ended_since(shared, began))
    state = np.full(count, LEFT, dtype=np.int8)
    state[family[weak]] = UNTOLD
    state[_withheld(evidence, found, relied)] = UNTOLD
    state[~_any(count, family[placed])] = UNTOLD
    state[family[firm]] = HERE
    return Whereabouts(state, _told(rows, family, firm, weak, month, count))


@dataclass(frozen=True, slots=True)
class _Rows:
    """Statements of places; ``open`` and ``placed`` are bool (s,)."""

    said: Statements
    household: Ints
    homes: int
    open: Bools
    placed: Bools

    @property
    def ended(self) -> Bools:
        """Whether a statement tells of an end."""
        return self.placed & ~self.open

    def ended_since(self, key: Ints, began: Ints) -> Bools:
        """Whether any statement of the same key tells of an end not before a month, bool (s,)."""
        if not len(key):
            return self.placed
        _, at = np.unique(np.where(self.placed, key, -1), return_inverse=True)
        last = np.full(int(at.max()) + 1, np.iinfo(np.int64).min)
        np.maximum.at(last, at[self.ended], self.said.last[self.ended])
        return np.asarray(self.placed & (last[at] >= began))


def relied_on(rows: _Rows, source: Ints) -> Bools:
    """Whether each source's open words can be relied on, bool (sources,)."""
    sources = int(source.max(initial=-1)) + 1
    writes_ends = np.bincount(source[rows.ended], minlength=sources) > 0
    at = np.flatnonzero(rows.placed)
    key = rows.said.person[at] * rows.homes + rows.household[at]
    pair, of = np.unique(np.column_stack([key, source[at]]), axis=0, return_inverse=True)
    of = of.ravel()
    holds, ends = np.zeros((2, len(pair)), dtype=np.bool_)
    holds[of[rows.open[at]]] = True
    ends[of[rows.ended[at]]] = True
    _, place = np.unique(pair[:, 0], return_inverse=True)
    own = writes_ends[pair[:, 1]] if len(pair) else holds
    others = [_others(place, own & each) for each in (holds | ends, holds, ends)]
    checked = holds & others[0]
    denied = checked & others[2] & ~others[1]
    total = np.bincount(pair[checked, 1], minlength=sources)
    wrong = np.bincount(pair[denied, 1], minlength=sources)
    share = (total - wrong + 1) / (total + 2)
    return np.where(total >= CHECKED, share >= RELIED_ON, writes_ends)


def _others(place: Ints, marked: Bools) -> Bools:
    """Whether another row of the same place is marked, bool (n,)."""
    return np.asarray(np.bincount(place[marked], minlength=len(place))[place] > marked)


def _followed(rows: _Rows, shared: Ints, comes: Bools, institutional: Ints) -> Bools:
    """Whether a family began at the same address after this one last did, bool (s,).

    Args:
        rows: all statements.
        shared: number of each one's family and household, int64 (s,).
        comes: statements whose beginnings count for those who came.
        institutional: households where people come and go.
    """
    dated = rows.placed & is_dated(rows.said)
    newest = np.full(rows.homes + 1, NEVER)  # the last for those without a household
    np.maximum.at(newest, rows.household[dated & comes], rows.said.first[dated & comes])
    newest[institutional] = NEVER
    _, at = np.unique(shared, return_inverse=True)
    latest = np.full(int(at.max(initial=-1)) + 1, NEVER)
    np.maximum.at(latest, at[dated], rows.said.first[dated])
    began = latest[at]
    return np.asarray((began >= 0) & (newest[rows.household] > began))


def _withheld(evidence: Evidence, found: FamilyResult, relied: Bools) -> Ints:
    """Families of whom a source that can be relied on has a record without any address."""
    records = evidence.records
    hidden = ~records.placed & (relied[records.source] if len(relied) else False)
    return np.unique(found.family_of[records.person[hidden]])


def _told(rows: _Rows, family: Ints, firm: Bools, weak: Bools, month: int, count: int) -> Ints:
    said = rows.said
    named = np.where(said.first <= month, said.first, NEVER)
    newest = np.full(int(said.source.max(initial=-1)) + 1, NEVER)
    np.maximum.at(newest, said.source, named)
    told = np.full(count, NEVER)
    np.maximum.at(told, family[rows.ended], said.last[rows.ended])
    began = weak & is_dated(said)
    np.maximum.at(told, family[began], named[began])
    np.maximum.at(told, family[firm], newest[said.source[firm]])
    return told


def _any(count: int, family: Ints) -> Bools:
    found = np.zeros(count, dtype=np.bool_)
    found[family] = True
    return found
