"""What became of families: programme, consents, later referrals.

A family can be met when it lives in the county still. Those with several recorded needs are met
more often, join the programme more often, and are referred more often later.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from examples.county import canaries
from examples.county.model import (
    DAYS_A_YEAR,
    EPOCH,
    NEEDS,
    REFERENCE,
    Bools,
    Ints,
    Population,
    stream,
)
from examples.county.population import unit_needs
from examples.county.records import Records

PROGRAMME_RATES = (0.002, 0.01, 0.12, 0.3)  # by recorded needs: none, one, two, three and more
REFERRAL_RATES = (0.02, 0.07, 0.2, 0.38)  # by true needs, within 400 days of the extracts
ASKED_RATES = (0.01, 0.04, 0.55, 0.7)  # by recorded needs
DECISIONS = {"given": 0.55, "refused": 0.2, "withdrawn": 0.12, "partial": 0.13}
KINDS = ("approach", "confidentiality", "explicit_gdpr")
CONSENT_COLUMNS = (
    "source", "record_id", "kind", "state", "date", "expires", "capacity", "parental_basis",
    "method",
)  # fmt: skip
SERVICES = ("early_help", "childrens_social_care", "housing", "police", "school")
_METHODS = ("in_person", "paper_form", "telephone", "online")
_HELD_UNMET = ("gp_registrations", "libraries", "council_tax")  # hold people without meeting them
_COMPETENT_AGE = 16
_LASTS = 365  # days


@dataclass
class Outcomes:
    """By unit."""

    current: Bools  # lives in the county still
    needs: Ints  # distinct true needs
    recorded: Ints  # distinct needs that the extracts show
    in_programme: Bools
    asked: dict[int, str]  # unit -> decision


def decide(population: Population, records: Records, seed: int) -> Outcomes:
    """Draw who joined, who was asked, and what was answered."""
    units = len(population.units)
    present = np.zeros(units, dtype=bool)
    present[population.unit[population.present_to >= REFERENCE]] = True
    needs = unit_needs(population, population.needs).sum(axis=1)
    recorded = unit_needs(population, records.met).sum(axis=1)
    rng = stream(seed, "outcomes")
    joined = present & (rng.random(units) < _rate(PROGRAMME_RATES, recorded))
    asked = present & (rng.random(units) < _rate(ASKED_RATES, recorded))
    hidden = np.zeros(units, dtype=bool)
    hidden[population.unit[population.protected]] = True
    names = list(DECISIONS)
    drawn = rng.choice(len(names), size=units, p=list(DECISIONS.values()))
    decisions = {
        u: names[int(drawn[u])] for u in np.flatnonzero(asked & ~hidden & ~joined).tolist()
    }
    planted = list(dict.fromkeys(population.unit[population.canaries].tolist()))
    for unit, family in zip(planted, canaries.FAMILIES, strict=True):
        joined[unit] = False
        decisions.pop(unit, None)
        if family.consents != "none":
            decisions[unit] = family.consents
    return Outcomes(present, needs, recorded, joined, decisions)


def _rate(rates: tuple[float, ...], count: Ints) -> np.ndarray:
    return np.array(rates)[np.minimum(count, len(rates) - 1)]


def iso(number: int) -> str:
    """ISO date of a day."""
    return (EPOCH + timedelta(days=int(number))).isoformat()


def programme_rows(
    population: Population, records: Records, outcomes: Outcomes, seed: int
) -> Iterator[tuple[str, str, str, str]]:
    """(source, record_id, started, status) of the council's records of families that joined."""
    rng = stream(seed, "programme")
    started = REFERENCE - rng.integers(30, 900, len(population.units))
    closed = rng.random(len(population.units)) < 0.35  # noqa: PLR2004 - a share
    for source, ids, person in zip(records.sources, records.ids, records.persons, strict=True):
        if source.partner != "council":
            continue
        unit = population.unit[person]
        for row in np.flatnonzero(outcomes.in_programme[unit]).tolist():
            family = int(unit[row])
            status = "closed" if closed[family] else "open"
            yield source.name, ids[row], iso(started[family]), status


def referral_rows(
    population: Population, outcomes: Outcomes, seed: int
) -> Iterator[tuple[str, int, int, str, str]]:
    """(referral id, unit, person, date, service) after the day of the extracts."""
    rng = stream(seed, "referrals")
    units = len(population.units)
    chosen = outcomes.current & ~outcomes.in_programme
    chosen &= rng.random(units) < _rate(REFERRAL_RATES, outcomes.needs)
    days = REFERENCE + rng.integers(5, 400, units)
    member = rng.integers(0, 1_000_000, units) % population.units.size
    service = rng.integers(0, len(SERVICES), units)
    for number, unit in enumerate(np.flatnonzero(chosen).tolist(), 1):
        person = int(population.units.first[unit] + member[unit])
        yield f"R{number:06d}", unit, person, iso(days[unit]), SERVICES[int(service[unit])]


def consent_rows(
    population: Population, records: Records, outcomes: Outcomes, seed: int
) -> dict[str, list[tuple[str, ...]]]:
    """Rows of each partner's consents.csv: only the partner that met the person has them.

    A family's decision in ``outcomes`` becomes ``partial`` where a member could not be asked.
    """
    wanted = np.isin(population.unit, list(outcomes.asked))
    held = records.of(wanted)
    found: dict[str, list[tuple[str, ...]]] = {s.partner: [] for s in records.sources}
    rng = stream(seed, "consents")
    for unit, decision in list(outcomes.asked.items()):
        first = int(population.units.first[unit])
        members = list(range(first, first + int(population.units.size[unit])))
        asked_on = REFERENCE - int(rng.integers(10, 200))
        for place, person in enumerate(members):
            draw = int(rng.integers(0, 1_000_000))
            if decision == "partial" and place == len(members) - 1:
                continue  # the last member was never asked
            choice = _places_met(records, held.get(person, []))
            if not choice:
                outcomes.asked[unit] = "partial" if decision == "given" else decision
                continue
            number, row = choice[draw % len(choice)]
            source = records.sources[number]
            head = (source.name, str(records.ids[number][row]))
            age = (REFERENCE - population.born[person]) / DAYS_A_YEAR
            capacity = _capacity(age, draw)
            for state, when in _states(decision, place, len(members), asked_on):
                for kind in KINDS:
                    dates = (iso(when), iso(when + _LASTS))
                    found[source.partner].append((*head, kind, state, *dates, *capacity))
    return found


def _places_met(records: Records, held: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Records of services that meet people face to face, else any."""
    met = [record for record in held if records.sources[record[0]].name not in _HELD_UNMET]
    return met or held


def _capacity(age: float, draw: int) -> tuple[str, str, str]:
    method = _METHODS[draw % len(_METHODS)]
    if age >= _COMPETENT_AGE:
        return "self", "", method
    return "parental_responsibility", "birth_registration", method


def _states(decision: str, place: int, members: int, day: int) -> list[tuple[str, int]]:
    """States of one member over time: the second adult refuses, the first one withdraws."""
    if decision == "refused" and place == min(1, members - 1):
        return [("refused", day)]
    if decision == "withdrawn" and place == 0:
        return [("given", day), ("withdrawn", day + 8)]
    return [("given", day)]


def need_names(row: Bools) -> str:
    """Ids of needs, separated by spaces."""
    return " ".join(need for need, has in zip(NEEDS, row.tolist(), strict=True) if has)
