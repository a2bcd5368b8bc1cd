"""One county's families as three sets of people would see them.

- ``true``: the county's own families, with what their members' records say: no error of linkage,
  none of family building; only what no source knows is missing;
- ``built``: the hub's families on true persons: the error of building families alone;
- ``linked``: what the hub has: linkage and families, both with their errors.

A family that was found stands for the true family (the unit) that most of its members belong to, a
member for the true person whom most of its records are of. So a unit whose members are in two
found families has two that stand for it, of which the one with more of its members is the main
one; a unit whose members are all in others' families has none. What became of a found family is
what became of its unit, and what the hub would learn of it is what came of it by records that were
linked again with the referrals among them (``seen``).
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.risk.linked.extracts import County
from examples.county.model import EPOCH, NEEDS, REFERENCE
from governance.agreements.models import IN_PROGRAMME
from linkage_hub.analytics.needs import Assessments, Said, assess
from linkage_hub.families.build import build_families
from linkage_hub.families.columns import Evidence
from linkage_hub.families.reading import read_evidence
from linkage_hub.families.result import FamilyResult
from linkage_hub.families.whereabouts import Whereabouts, whereabouts_of
from linkage_hub.linkage.identity import KnownIds, carry
from linkage_hub.runs.indicators import read_indicators, said_of_families, said_of_persons
from linkage_hub.runs.inputs import SourceData

MINIMUM: Final = 2
WANTED: Final = (*sorted(NEEDS), IN_PROGRAMME)
TODAY: Final[date] = EPOCH + timedelta(days=REFERENCE)
MONTH: Final = 12 * TODAY.year + TODAY.month - 1
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class World:
    """Families of one kind.

    Attributes:
        state: needs, int8 (f, k).
        open: live in the county and are not in the programme, as far as this kind knows, bool (f,).
        flagged: put forward by the agreement's rule, bool (f,).
        unit: true family that each stands for, int64 (f,).
        main: whether it is the main one of its unit, bool (f,).
        seen: referred in the first and the second period as the hub would learn it, bool (f, 2).
        gone: not there any more when referrals were linked, bool (f,).
        where: whether it lives in the county still, as this kind knows, int8 (f,), codes of
            ``RESIDENCE``.
        present: somebody of it does in truth, bool (f,).
    """

    state: npt.NDArray[np.int8]
    open: Bools
    flagged: Bools
    unit: Ints
    main: Bools
    seen: Bools
    gone: Bools
    where: npt.NDArray[np.int8]
    present: Bools


@dataclass(frozen=True)
class _Built:
    evidence: Evidence
    result: FamilyResult
    where: Whereabouts
    assessed: Assessments


def outcomes_of(county: County) -> Bools:
    """Units referred in the first and the second period, bool (u, 2)."""
    found = np.zeros((len(county.families), 2), dtype=np.bool_)
    found[county.unit[county.person[county.referral]], county.second.astype(np.int64)] = True
    return found


def present_of(county: County) -> Bools:
    """Units of whom somebody lives in the county on the day of the extracts, bool (u,)."""
    found = np.zeros(len(county.families), dtype=np.bool_)
    found[county.unit[(county.people.present_to >= TODAY.isoformat()).to_numpy()]] = True
    return found


def true_world(county: County) -> World:
    """The county's own families; who lives there still is told by the hub's rule, as of others."""
    records = sum(len(each.handles) for each in county.before)
    _, person = np.unique(county.person[:records], return_inverse=True)
    built = _built(county.before, person.astype(np.int64))
    unit = county.unit[county.person[:records]]
    number, of_record = np.unique(unit, return_inverse=True)  # of some every record was refused
    said = said_of_persons(county.before, _split(of_record, county.before), WANTED)
    units = np.arange(len(number))
    of_person = np.zeros(int(person.max()) + 1, dtype=np.int64)
    of_person[person] = of_record
    own = replace(built.result, count=len(units), family_of=of_person)
    where = whereabouts_of(built.evidence, own, MONTH)
    words = said_of_families(said, WANTED, units, units)
    assessed = assess(words, WANTED, MINIMUM, where.resident)
    return World(
        assessed.state, where.resident & ~assessed.in_programme, assessed.flagged, number,
        np.ones(len(units), dtype=np.bool_), outcomes_of(county)[number],
        np.zeros(len(units), dtype=np.bool_), where.state, present_of(county)[number],
    )  # fmt: skip


def found_world(county: County, before: Ints, after: Ints) -> World:
    """Families that the hub builds.

    Args:
        county: with its sources.
        before: person of each record without the referrals, int64 (r,).
        after: person of each record with them.
    """
    built = _built(county.before, before)
    later = _built(county.sources, after)
    seen, gone = _seen(county, before, built.result, after, later.result)
    unit, main = _units(county, before, built.result)
    needs = built.assessed
    of_record = county.person[: len(before)]
    present = np.zeros(built.result.count, dtype=np.bool_)
    lives = (county.people.present_to >= TODAY.isoformat()).to_numpy()[of_record]
    present[built.result.family_of[before[lives]]] = True
    return World(
        needs.state, needs.resident & ~needs.in_programme, needs.flagged, unit, main, seen, gone,
        built.where.state, present,
    )  # fmt: skip


def _built(sources: list[SourceData], person: Ints) -> _Built:
    person_of = _split(person, sources)
    evidence = read_evidence(
        [each.table for each in sources], person_of, int(person.max()) + 1, None
    )
    result = build_families(evidence)
    said: Said = read_indicators(
        sources, person_of, WANTED, result.members.family, result.members.person
    )
    where = whereabouts_of(evidence, result, MONTH)
    return _Built(evidence, result, where, assess(said, WANTED, MINIMUM, where.resident))


def _seen(
    county: County, before: Ints, old: FamilyResult, after: Ints, new: FamilyResult
) -> tuple[Bools, Bools]:
    """What the hub learns of each old family: referrals by period, and whether it is gone.

    Persons and families keep their ids as ``run_pipeline`` has them keep them: by handles, then by
    persons; a referral counts for every family that its person is a member of.
    """
    handles = np.concatenate([each.handles.view("S16").ravel() for each in county.sources])
    known = KnownIds.of(handles[: len(before)], _ids(before))
    persons = carry(known, handles, after, int(after.max()) + 1, _new_ids)
    first = old.members.primary
    home = KnownIds.of(_ids(old.members.person[first]), _ids(old.members.family[first]))
    first = new.members.primary
    names = np.array(persons.ids, dtype="S12")
    families = carry(
        home, names[new.members.person[first]], new.members.family[first], new.count, _new_ids
    )
    number = np.array([int(id_) if id_[0] != "n" else -1 for id_ in families.ids], dtype=np.int64)
    gone = ~np.isin(np.arange(old.count), number)
    seen = np.zeros((old.count, 2), dtype=np.bool_)
    for period in range(2):
        of_person = np.zeros(len(persons.ids), dtype=np.bool_)
        of_person[after[county.referral[county.second == bool(period)]]] = True
        family = number[new.members.family[of_person[new.members.person]]]
        seen[family[family >= 0], period] = True
    return seen, gone


def _ids(numbers: Ints) -> npt.NDArray[np.bytes_]:
    return np.char.zfill(numbers.astype("S12"), 12)


def _new_ids(count: int) -> list[str]:
    return [f"n{at:011d}" for at in range(count)]


def _units(county: County, person: Ints, result: FamilyResult) -> tuple[Ints, Bools]:
    """Unit that each family stands for, and whether it is the main one of its unit."""
    true_person = _most(person, county.person[: len(person)], int(person.max()) + 1)[0]
    members = result.members
    here = members.primary
    family, unit = members.family[here], county.unit[true_person[members.person[here]]]
    found, count = _most(family, unit, result.count)
    best = np.zeros(len(county.families), dtype=np.int64)
    np.maximum.at(best, found, count)
    order = np.lexsort((-count, found))  # of equals the family that comes first
    first = np.append(True, np.diff(found[order]) > 0)
    main = np.zeros(result.count, dtype=np.bool_)
    main[order[first]] = True
    return found, main


def _most(group: Ints, value: Ints, groups: int) -> tuple[Ints, Ints]:
    """The commonest value of each group, of equals the least, and how often it is there."""
    once, count = np.unique(np.column_stack([group, value]), axis=0, return_counts=True)
    order = np.lexsort((once[:, 1], -count, once[:, 0]))
    head = order[np.append(True, np.diff(once[order, 0]) > 0)]
    found, often = np.full(groups, -1, dtype=np.int64), np.zeros(groups, dtype=np.int64)
    found[once[head, 0]], often[once[head, 0]] = once[head, 1], count[head]
    return found, often


def _split(person: Ints, sources: list[SourceData]) -> list[Ints]:
    ends = np.cumsum([len(each.handles) for each in sources])
    return np.split(person, ends[:-1])
