"""Family units: their kinds, members and ages.

Shares are of units, chosen for a county of families rather than read from a census: see README.
"""

import numpy as np

from examples.county.model import DAYS_A_YEAR, Bools, Ints, Kind, Role, Units

SHARES = {
    Kind.SINGLE: 0.20,
    Kind.COUPLE: 0.17,
    Kind.COUPLE_CHILDREN: 0.27,
    Kind.LONE_PARENT: 0.13,
    Kind.BLENDED: 0.06,
    Kind.THREE_GENERATIONS: 0.04,
    Kind.CARE_HOME_RESIDENT: 0.045,
    Kind.HOSTEL_RESIDENT: 0.02,
    Kind.HOSTEL_FAMILY: 0.01,
    Kind.STUDENT: 0.055,
}
CHILDREN = {1: 0.36, 2: 0.39, 3: 0.17, 4: 0.06, 5: 0.02}
TWIN_RATE = 0.03  # of children that have a younger sibling, next in line
ADULT_CHILD_RATE = 0.10  # families whose eldest child may be 18 to 24
OTHER_PARENT_RATE = 0.45  # lone parents whose children have a second home
THREE_PAIRED_RATE = 0.6  # families of three generations whose head has a partner
BOTH_GRANDPARENTS_RATE = 0.35
HEAD_AGE = {  # mean, standard deviation, least, most; years at the unit's last day
    Kind.SINGLE: (48, 17, 19, 92),
    Kind.COUPLE: (50, 17, 21, 90),
    Kind.COUPLE_CHILDREN: (38, 7, 21, 55),
    Kind.LONE_PARENT: (36, 8, 18, 54),
    Kind.BLENDED: (38, 6, 24, 54),
    Kind.THREE_GENERATIONS: (35, 7, 20, 50),
    Kind.CARE_HOME_RESIDENT: (84, 7, 62, 101),
    Kind.HOSTEL_RESIDENT: (35, 11, 18, 65),
    Kind.HOSTEL_FAMILY: (30, 6, 18, 45),
    Kind.STUDENT: (20, 1.4, 18, 26),
}
CANARY_UNITS = 4
CANARY_CHILDREN = 3


def _children(rng: np.random.Generator, count: int) -> Ints:
    return rng.choice(list(CHILDREN), size=count, p=list(CHILDREN.values()))


def _counts(rng: np.random.Generator, kind: Ints) -> Ints:
    """Members by role: units x 5."""
    n = len(kind)
    counts = np.zeros((n, len(Role)), dtype=np.int64)
    counts[:, Role.HEAD] = 1
    paired = np.isin(kind, [Kind.COUPLE, Kind.COUPLE_CHILDREN, Kind.BLENDED])
    three = kind == Kind.THREE_GENERATIONS
    counts[:, Role.PARTNER] = paired | (three & (rng.random(n) < THREE_PAIRED_RATE))
    counts[:, Role.GRANDPARENT] = np.where(three, 1 + (rng.random(n) < BOTH_GRANDPARENTS_RATE), 0)
    parents = paired & (kind != Kind.COUPLE) | three
    parents |= np.isin(kind, [Kind.LONE_PARENT, Kind.HOSTEL_FAMILY])
    counts[:, Role.CHILD] = np.where(parents, _children(rng, n), 0)
    blended = kind == Kind.BLENDED
    counts[:, Role.CHILD] = np.where(blended, rng.integers(1, 3, n), counts[:, Role.CHILD])
    counts[:, Role.STEPCHILD] = np.where(blended, rng.integers(1, 3, n), 0)
    return counts


def make_units(rng: np.random.Generator, persons: int) -> tuple[Units, Ints]:
    """Units whose members number exactly ``persons``, and the role of every person.

    The last ``CANARY_UNITS`` units are couples with children, kept for the canaries.

    Raises:
        ValueError: ``persons`` is too small to hold the canaries and some county.
    """
    kept = CANARY_UNITS * (2 + CANARY_CHILDREN)
    if persons < 10 * kept:
        raise ValueError(f"a county needs at least {10 * kept} persons")
    kind = rng.choice(list(SHARES), size=persons, p=list(SHARES.values()))
    counts = _counts(rng, kind)
    ends = np.cumsum(counts.sum(axis=1))
    fit = int(np.searchsorted(ends, persons - kept, side="right"))
    fillers = persons - kept - int(ends[fit - 1])  # people living alone
    canary = np.array([1, 1, 0, CANARY_CHILDREN, 0])
    single = np.array([1, 0, 0, 0, 0])
    counts = np.vstack(
        [counts[:fit], np.tile(single, (fillers, 1)), np.tile(canary, (CANARY_UNITS, 1))]
    )
    kind = np.concatenate(
        [
            kind[:fit],
            np.full(fillers, Kind.SINGLE),
            np.full(CANARY_UNITS, Kind.COUPLE_CHILDREN),
        ]
    )
    size = counts.sum(axis=1)
    role = np.repeat(np.tile(np.arange(len(Role)), len(kind)), counts.ravel())
    first = np.cumsum(size) - size
    other = _other_parents(rng, kind)
    return Units(kind=kind, first=first, size=size, other_parent=other), role


def _other_parents(rng: np.random.Generator, kind: Ints) -> Ints:
    """Pair lone parents with units whose head is their children's other parent."""
    ordinary = np.arange(len(kind)) < len(kind) - CANARY_UNITS
    lone = np.flatnonzero((kind == Kind.LONE_PARENT) & ordinary)
    lone = lone[rng.random(len(lone)) < OTHER_PARENT_RATE]
    homes = np.flatnonzero(np.isin(kind, [Kind.SINGLE, Kind.COUPLE]) & ordinary)
    pairs = min(len(lone), len(homes))
    other = np.full(len(kind), -1, dtype=np.int64)
    other[lone[:pairs]] = rng.choice(homes, size=pairs, replace=False)
    return other


def make_sexes(rng: np.random.Generator, units: Units, role: Ints) -> Bools:
    """Whether each person is female."""
    unit = np.repeat(np.arange(len(units)), units.size)
    female = rng.random(len(role)) < 0.5  # noqa: PLR2004 - even odds
    head = role == Role.HEAD
    lone = np.isin(units.kind, [Kind.LONE_PARENT, Kind.HOSTEL_FAMILY])[unit]
    female[head & lone] = rng.random(int((head & lone).sum())) < 0.88  # noqa: PLR2004 - a share
    others = units.other_parent[units.other_parent >= 0]
    lone_units = np.flatnonzero(units.other_parent >= 0)
    female[units.first[others]] = ~female[units.first[lone_units]]
    partner = np.flatnonzero(role == Role.PARTNER)
    same_sex = rng.random(len(partner)) < 0.02  # noqa: PLR2004 - a share
    same_sex |= np.isin(unit[partner], others)  # a former couple's home keeps its two sexes
    female[partner] = ~female[units.first[unit[partner]]] ^ same_sex
    return female


def make_births(
    rng: np.random.Generator, units: Units, role: Ints, anchor: Ints
) -> tuple[Ints, Bools]:
    """Day of birth of every person, and whether the person is a twin.

    ``anchor`` is each unit's last day in the county (units,): ages are drawn for that day, so
    that a family that left in 2014 was a family then.
    """
    unit = np.repeat(np.arange(len(units)), units.size)
    head_age = np.empty(len(units))
    for kind, (mean, spread, least, most) in HEAD_AGE.items():
        chosen = units.kind == kind
        head_age[chosen] = np.clip(rng.normal(mean, spread, int(chosen.sum())), least, most)
    lone = np.flatnonzero(units.other_parent >= 0)
    others = units.other_parent[lone]
    gap = (anchor[others] - anchor[lone]) / DAYS_A_YEAR  # their last days differ, their youth not
    head_age[others] = np.clip(
        head_age[lone] + np.maximum(rng.normal(2, 4, len(lone)), -2) + gap, 18, 80
    )
    age = head_age[unit] + np.where(role == Role.PARTNER, rng.normal(0, 3.5, len(role)), 0)
    age = np.where(role == Role.PARTNER, np.maximum(age, 18), age)
    parent_age = rng.triangular(20, 27, 40, len(role))
    age = np.where(role == Role.GRANDPARENT, age + parent_age, age)
    child = (role == Role.CHILD) | (role == Role.STEPCHILD)
    youngest = head_age.copy()  # of the adults who may be a child's parents
    partner = role == Role.PARTNER
    np.minimum.at(youngest, unit[partner], age[partner])
    age[child] = _child_ages(rng, youngest[unit[child]], unit[child], len(units))
    born = anchor[unit] - np.floor(age * DAYS_A_YEAR).astype(np.int64)
    twin = _make_twins(rng, unit, role, born)
    return born, twin


def _child_ages(rng: np.random.Generator, parent: np.ndarray, unit: Ints, units: int) -> np.ndarray:
    grown = rng.random(units) < ADULT_CHILD_RATE
    most = np.minimum(np.where(grown[unit], 24.0, 17.8), parent - 16.5)
    age: np.ndarray = rng.uniform(0.05, 1.0, len(parent)) * np.maximum(most, 0.3)
    return age


def _make_twins(rng: np.random.Generator, unit: Ints, role: Ints, born: Ints) -> Bools:
    """Give some neighbouring siblings one day of birth, in place."""
    twin = np.zeros(len(role), dtype=bool)
    pair = (unit[1:] == unit[:-1]) & (role[1:] == role[:-1]) & (role[1:] >= Role.CHILD)
    chosen = np.flatnonzero(pair & (rng.random(len(pair)) < TWIN_RATE))
    chosen = chosen[np.diff(chosen, prepend=-2) > 1]  # no triplets by chance
    born[chosen + 1] = born[chosen]
    twin[chosen] = twin[chosen + 1] = True
    return twin
