"""Persons to families: homes, mentions, bonds, second homes, roles, address history.

In order:
1. Slips of the pen in addresses are put right; each person's stays are joined; homes of more
   people at one time than ``size_limit`` are institutional and join nobody by themselves.
2. Mentions are recognised, at home first, then everywhere.
3. How likely two people of one address are one family is learnt from surnames, without truth.
4. Bonds make families, strongest first; several may share an address.
5. A child bound to an adult of another family joins it there too, not as a primary member.
"""

from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_array

from linkage_hub.families.columns import Bools, Evidence, Floats, Ints, Statements
from linkage_hub.families.grouping import Bonds, families_of, strongest
from linkage_hub.families.history import address_history, homes_of
from linkage_hub.families.mentions import BUDGET, Links, resolve_mentions
from linkage_hub.families.pairs import Pairs, pairs_of
from linkage_hub.families.rates import learn, probabilities
from linkage_hub.families.reasons import ALONE, MENTION, reasons_of
from linkage_hub.families.residence import Stays, institutional, stays_of
from linkage_hub.families.result import FamilyResult, Memberships
from linkage_hub.families.roles import roles_of
from linkage_hub.families.second_home import Guests, second_homes
from linkage_hub.families.slips import put_right

SIZE_LIMIT = 12  # people at one address at a time; more are a care home, a hostel or flats
APART_TRUST = 0.4  # in a mention as a bond of one home, of somebody known to live elsewhere
SUREST = 0.95  # share of memberships that are right where all evidence agrees (ADR 12)
Progress = Callable[[float, str], None]


def build_families(
    evidence: Evidence,
    *,
    size_limit: int = SIZE_LIMIT,
    mention_budget: int = BUDGET,
    progress: Progress = lambda _fraction, _message: None,
) -> FamilyResult:
    """Families of all persons, deterministic in the evidence whatever the order of its rows.

    Args:
        evidence: of all persons.
        size_limit: an address with more residents at one time joins nobody by itself.
        mention_budget: most comparisons of mentions with everybody's records.
        progress: told the share done, 0 to 1.
    """
    households = len(evidence.tokens)
    stated = put_right(evidence.statements, households)
    stays = stays_of(evidence.statements, stated, households)
    closed = institutional(stays, size_limit)
    pairs = pairs_of(stays, evidence.is_child, evidence.earliest, closed)
    progress(0.2, "recognising people whom records name")
    links = resolve_mentions(evidence, pairs, budget=mention_budget)
    progress(0.6, "joining families")
    probability = probabilities(pairs, learn(pairs, _declared(pairs, links, evidence.persons)))
    bonds = _bonds(evidence, stays, pairs, probability, links)
    family_of = families_of(bonds, evidence.is_child)
    guests = second_homes(stays, pairs, probability, links, family_of, evidence.is_child)
    members = _memberships(bonds, guests, family_of, evidence, links)
    progress(1.0, "families")
    return FamilyResult(
        count=int(family_of.max(initial=-1)) + 1,
        members=members,
        addresses=address_history(stays, family_of),
        family_of=family_of,
        household_of=homes_of(stays, family_of),
        stated=stated,
        stays=stays,
        institutional=np.flatnonzero(closed),
        tokens=evidence.tokens,
    )


def _declared(pairs: Pairs, links: Links, persons: int) -> Bools:
    """Whether a record of one of each pair names the other."""
    named = np.concatenate(
        [links.asker * persons + links.named, links.named * persons + links.asker]
    )
    return np.isin(pairs.left * persons + pairs.right, named)


def _known_apart(statements: Statements, stays: Stays, links: Links, persons: int) -> Bools:
    """Whether some source knows where both live, and they were never seen at one address."""
    source = _share(statements.person, statements.source, links, persons)
    return source & ~_share(stays.person, stays.household, links, persons)


def _share(person: Ints, thing: Ints, links: Links, persons: int) -> Bools:
    """Whether the two people of each link have a thing in common, bool (k,)."""
    shape = (persons, int(thing.max(initial=0)) + 1)
    has = coo_array((np.ones(len(person)), (person, thing)), shape).tocsr()
    both: Floats = has[links.asker].multiply(has[links.named]).sum(axis=1)
    return np.asarray(both > 0)


def _bonds(
    evidence: Evidence, stays: Stays, pairs: Pairs, probability: Floats, links: Links
) -> Bonds:
    apart = _known_apart(evidence.statements, stays, links, evidence.persons)
    trust = np.where(apart, APART_TRUST, links.trust)
    return strongest(
        np.concatenate([pairs.left, links.asker]),
        np.concatenate([pairs.right, links.named]),
        np.concatenate([probability, trust]),
        np.concatenate([pairs.support, np.zeros(len(links.asker))]),
        np.concatenate([reasons_of(pairs), np.array(MENTION, dtype=np.int64)[links.relation]]),
    )


def _memberships(
    bonds: Bonds, guests: Guests, family_of: Ints, evidence: Evidence, links: Links
) -> Memberships:
    persons = evidence.persons
    inside = family_of[bonds.left] == family_of[bonds.right]
    ends = np.concatenate([bonds.left[inside], bonds.right[inside]])
    doubt = np.ones(persons)
    np.multiply.at(doubt, ends, 1.0 - np.tile(bonds.probability[inside], 2))
    reasons = np.zeros(persons, dtype=np.int64)
    np.bitwise_or.at(reasons, ends, np.tile(bonds.reason[inside], 2))
    alone = np.bincount(family_of, minlength=1)[family_of] == 1
    confidence = SUREST * np.where(alone, doubt, 1.0 - doubt)
    reasons[alone] = ALONE
    family = np.concatenate([family_of, guests.family])
    person = np.concatenate([np.arange(persons), guests.person])
    order = np.lexsort((person, family))
    primary = np.arange(len(family)) < persons
    family, person = family[order], person[order]
    return Memberships(
        family=family,
        person=person,
        role=roles_of(family, person, evidence.band, evidence.is_child, links),
        confidence=np.concatenate([confidence, SUREST * guests.confidence])[order],
        reasons=np.concatenate([reasons, guests.reasons])[order],
        primary=primary[order],
    )
