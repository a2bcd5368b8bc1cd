"""From persons to families and assessments: pure, given its inputs."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from governance.agreements.models import Agreement
from linkage_hub.analytics.needs import Assessment, Evidence, assess
from linkage_hub.families.build import build_families
from linkage_hub.families.evidence import Family, FamilyResult, Mention, PersonEvidence, Residence
from linkage_hub.linkage.identity import IdEvent, carry_ids
from linkage_hub.linkage.persons import LinkResult
from linkage_hub.runs.inputs import Previous, SourceData

Progress = Callable[[float, str], None]
_FAMILY_SHARE = 0.7  # of the progress bar
Place = tuple[int, int]
"""A record by source and row."""


@dataclass(frozen=True)
class Results:
    """What a run found.

    Attributes:
        person_ids: of persons, by number.
        records: of each person, by number.
        families: with their ids and assessments, in one order.
    """

    sources: Sequence[SourceData]
    linked: LinkResult
    person_ids: list[str]
    records: list[list[Place]]
    evidence: list[PersonEvidence]
    families: list[Family]
    family_ids: list[str]
    assessments: list[Assessment]
    events: list[IdEvent]


def run_pipeline(
    sources: Sequence[SourceData],
    linked: LinkResult,
    agreement: Agreement,
    previous: Previous,
    today: date,
    progress: Progress,
) -> Results:
    """From persons to families and assessments.

    Args:
        sources: in the order of ``linked``.
        linked: persons.
        agreement: which indicators count, and how many make a family of several needs.
        previous: ids so far.
        today: the day of the run.
        progress: told the share done, 0 to 1.
    """
    records = records_of(linked)
    handles = [sorted(sources[at].handles[row] for at, row in places) for places in records]
    person_ids, events = carry_ids(previous.persons, handles, _new("p-"))
    evidence = [person_evidence(places, sources) for places in records]
    families = _built(evidence, progress)
    primary = [
        sorted(person_ids[member.person] for member in family.members if member.primary)
        for family in families.families
    ]
    family_ids, family_events = carry_ids(previous.families, primary, _new("f-"))
    found = _Indicators(sources)
    needs = sorted(indicator.id for indicator in agreement.indicators)
    assessments = [
        assess(
            [
                item
                for member in family.members
                for place in records[member.person]
                for item in found.of(place)
            ],
            needs,
            agreement.minimum_needs,
            resident=_resident(family, 12 * today.year + today.month - 1),
        )
        for family in families.families
    ]
    progress(1.0, "assessed")
    return Results(
        sources,
        linked,
        person_ids,
        records,
        evidence,
        list(families.families),
        family_ids,
        assessments,
        [*events, *family_events],
    )


def _built(evidence: Sequence[PersonEvidence], progress: Progress) -> FamilyResult:
    return build_families(
        evidence, progress=lambda share, step: progress(share * _FAMILY_SHARE, step)
    )


def _resident(family: Family, month: int) -> bool:
    """Whether some address holds still; so too where none is known."""
    ends = [spell.last_month for spell in family.addresses]
    return not ends or any(end is None or end >= month for end in ends)


def _new(prefix: str) -> Callable[[], str]:
    return lambda: prefix + secrets.token_hex(16)


def records_of(linked: LinkResult) -> list[list[Place]]:
    """Each person's records, by number."""
    records: list[list[Place]] = [[] for _ in range(linked.persons)]
    for at, persons in enumerate(linked.person_of):
        for row, person in enumerate(persons.tolist()):
            records[person].append((at, row))
    return records


def person_evidence(places: Sequence[Place], sources: Sequence[SourceData]) -> PersonEvidence:
    """What a person's records say about homes, relations and age."""
    residences: list[Residence] = []
    mentions: list[Mention] = []
    bands: list[str] = []
    for at, row in places:
        table = sources[at].table
        residences.extend(Residence(**home) for home in table.column("households")[row].as_py())
        for mention in table.column("mentions")[row].as_py():
            encoding = np.frombuffer(mention["encoding"], dtype=np.uint8)
            mentions.append(Mention(mention["relation"], encoding))
        band = table.column("age_band")[row].as_py()
        if band is not None:
            bands.append(band)
    encodings = np.stack([sources[at].encodings[0, row] for at, row in places])
    return PersonEvidence(encodings, residences, mentions, bands)


class _Indicators:
    """Every record's indicators, read once for each source."""

    def __init__(self, sources: Sequence[SourceData]) -> None:
        self._found: list[list[list[Mapping[str, Any]]]] = [
            source.table.column("indicators").to_pylist() for source in sources
        ]
        self._names = [source.source for source in sources]

    def of(self, place: Place) -> list[Evidence]:
        """One record's."""
        at, row = place
        return [
            Evidence(item["indicator"], item["met"], self._names[at])
            for item in self._found[at][row]
        ]
