"""The whole county, made in order: families, homes, ages, names, numbers, needs."""

import numpy as np

from examples.county import canaries, family_names, households, identifiers, needs, residence
from examples.county.addresses import make_dwellings
from examples.county.model import (
    DAYS_A_YEAR,
    NEED_INDEX,
    NEEDS,
    REFERENCE,
    Bools,
    Ints,
    Kind,
    Population,
    Role,
    Spells,
    Units,
    stream,
)

OPT_OUT_RATE = 0.054  # national data opt-outs, England, to one part in a thousand
PROTECTED_RATE = 0.25  # families with domestic abuse whose address is protected
EMAIL_RATE, PHONE_RATE = 0.55, 0.75  # adults
_ADULT_YEARS = 16


def make_population(persons: int, seed: int) -> Population:
    """A county of exactly ``persons`` people who live or have lived there.

    Raises:
        ValueError: too few persons for a county, or more than its names and numbers can tell
            apart (about 900,000).
    """
    units, role = households.make_units(stream(seed, "units"), persons)
    unit = np.repeat(np.arange(len(units)), units.size)
    plan = residence.plan(stream(seed, "residence"), units)
    dwellings = make_dwellings(stream(seed, "dwellings"), plan.uses)
    last = residence.last_days(plan.tenure, len(units))
    female = households.make_sexes(stream(seed, "sexes"), units, role)
    born, twin = households.make_births(stream(seed, "births"), units, role, last)
    for row, (is_female, day_born) in canaries.births(persons).items():
        female[row], born[row] = is_female, day_born
    spells = residence.person_spells(stream(seed, "spells"), units, role, born, plan)
    first_day, last_day = _presence(spells, persons)
    rng = stream(seed, "names")
    people = family_names.prepare(seed, rng, units, role=role, female=female, born=born)
    names = family_names.name_people(seed, rng, units, people)
    canaries.plant_names(names, persons)
    age = (last_day - born) / DAYS_A_YEAR
    rng = stream(seed, "identifiers")
    nino = identifiers.nino_numbers(rng, persons)
    nino[age < _ADULT_YEARS] = ""
    phone = identifiers.phone_numbers(rng, persons)
    phone[(age < _ADULT_YEARS) | (rng.random(persons) > PHONE_RATE)] = ""
    has_email = (age >= _ADULT_YEARS) & (rng.random(persons) < EMAIL_RATE)
    rng = stream(seed, "needs")
    home = _home_deprivation(units, plan.tenure.unit, dwellings.deprivation[plan.tenure.dwelling])
    score = needs.family_scores(rng, units, home)
    drawn = needs.draw_needs(rng, score[unit], role=role, female=female, born=born, anchor=last_day)
    drawn[units.kind[unit] == Kind.STUDENT, NEED_INDEX["neet"]] = False
    population = Population(
        unit=unit,
        role=role,
        sex=np.where(female, "f", "m").astype(object),
        born=born,
        present_from=first_day,
        present_to=last_day,
        names=names,
        nhs=identifiers.nhs_numbers(rng, persons),
        nino=nino,
        upn=identifiers.upn_numbers(rng, 1970 + np.floor(born / 365.25).astype(np.int64)),
        phone=phone,
        email=identifiers.email_addresses(rng, names.given, names.surname, has_email),
        needs=drawn,
        opted_out=rng.random(persons) < OPT_OUT_RATE,
        protected=_protected(rng, units, unit, drawn),
        twin=twin,
        units=units,
        dwellings=dwellings,
        spells=spells,
        canaries=canaries.canary_rows(persons),
    )
    population.twin[population.canaries] = False
    canaries.plant(population)
    return population


def _presence(spells: Spells, persons: int) -> tuple[Ints, Ints]:
    """First and last day of each person in the county."""
    first = np.full(persons, REFERENCE, dtype=np.int64)
    last = np.zeros(persons, dtype=np.int64)
    np.minimum.at(first, spells.person, spells.start)
    np.maximum.at(last, spells.person, np.minimum(spells.end - 1, REFERENCE))
    return first, np.maximum(last, first)


def _home_deprivation(units: Units, unit: Ints, score: np.ndarray) -> np.ndarray:
    """Mean score of the streets that each unit has lived in: (units,)."""
    total = np.bincount(unit, weights=score, minlength=len(units))
    return total / np.maximum(np.bincount(unit, minlength=len(units)), 1)


def _protected(rng: np.random.Generator, units: Units, unit: Ints, drawn: Bools) -> Bools:
    """Members of some families with domestic abuse: all of a family or none."""
    abused = np.zeros(len(units), dtype=bool)
    abused[unit[drawn[:, NEED_INDEX["domestic_abuse"]]]] = True
    return (abused & (rng.random(len(units)) < PROTECTED_RATE))[unit]


def unit_needs(population: Population, needs_of: Bools) -> Bools:
    """Needs of families from needs of persons: units x ``NEEDS``."""
    found = np.zeros((len(population.units), len(NEEDS)), dtype=bool)
    for column in range(len(NEEDS)):
        found[population.unit[needs_of[:, column]], column] = True
    return found


def has_partner(population: Population) -> Bools:
    """Whether each unit holds a couple: (units,)."""
    found = np.zeros(len(population.units), dtype=bool)
    found[population.unit[population.role == Role.PARTNER]] = True
    return found
