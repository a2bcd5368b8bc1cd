"""From persons to families and assessments: pure, given its inputs.

Records are numbered over all sources, by source and then by row. What a run of a million records
holds is columns; an object for each record would take ten times the memory and time.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from governance.agreements.models import CATEGORISED, Action, Agreement, UsedAs
from linkage_hub.analytics.needs import Assessments, Categories, assess, categorised, states_of
from linkage_hub.families.build import build_families
from linkage_hub.families.reading import read_evidence
from linkage_hub.families.whereabouts import Whereabouts, whereabouts_of
from linkage_hub.linkage.identity import CarriedIds, carry
from linkage_hub.linkage.persons import LinkResult
from linkage_hub.runs.indicators import read_indicators
from linkage_hub.runs.inputs import Previous, SourceData
from linkage_hub.runs.members import FamilyTables, tables_of
from linkage_hub.runs.pseudonyms import HouseholdPseudonyms

Progress = Callable[[float, str], None]
_FAMILY_SHARE = 0.85  # of the progress bar
_ID_BYTES = 16


@dataclass(frozen=True)
class Results:
    """What a run found.

    Attributes:
        sources: in the order of ``linked``.
        linked: persons.
        handles: of every record, bytes S16 (n,).
        person: of every record, int64 (n,).
        persons: ids of persons, by number, and what changed.
        families: members, addresses, confidence.
        family_ids: by number, and what changed.
        whereabouts: of families, by number.
        needs: likewise.
        referred: what is known of families' referral by the usual route, int8 (f,), codes of
            ``STATES``.
        categories: areas, teams and lengths of engagement that families are counted by, as far as
            the agreement has any.
        details: what is known of each indicator that tells more of others, and of the programme,
            int8 (f,) likewise.
    """

    sources: Sequence[SourceData]
    linked: LinkResult
    handles: NDArray[np.bytes_]
    person: NDArray[np.int64]
    persons: CarriedIds
    families: FamilyTables
    family_ids: CarriedIds
    whereabouts: Whereabouts
    needs: Assessments
    referred: NDArray[np.int8]
    categories: Mapping[UsedAs, Categories]
    details: Mapping[str, NDArray[np.int8]]

    @property
    def flagged(self) -> int:
        """How many families are put forward."""
        return int(self.needs.flagged.sum())


def run_pipeline(
    sources: Sequence[SourceData],
    linked: LinkResult,
    agreement: Agreement,
    previous: Previous,
    pseudonyms: HouseholdPseudonyms,
    today: date,
    progress: Progress,
) -> Results:
    """From persons to families and assessments.

    Args:
        sources: in the order of ``linked``.
        linked: persons.
        agreement: which indicators count, and how many make a family of several needs.
        previous: ids so far.
        pseudonyms: of households.
        today: the day of the run.
        progress: told the share done, 0 to 1.
    """
    handles = np.concatenate([source.handles.view("S16").ravel() for source in sources])
    person = np.concatenate(linked.person_of).astype(np.int64)
    persons = carry(previous.persons, handles, person, linked.persons, _new("p-"))
    progress(0.05, "reading evidence of homes")
    hardening = agreement.encoding.hardening
    evidence = read_evidence(
        [source.table for source in sources],
        linked.person_of,
        linked.persons,
        None if hardening is None else hardening.k,
    )
    built = build_families(
        evidence, progress=lambda share, step: progress(0.05 + share * _FAMILY_SHARE, step)
    )
    families = tables_of(built, evidence, pseudonyms)
    whereabouts = whereabouts_of(evidence, built, 12 * today.year + today.month - 1)
    del built, evidence
    progress(0.92, "carrying ids")
    names = np.array(persons.ids, dtype="S34")
    first = families.primary
    family_ids = carry(
        previous.families,
        names[families.member_person[first]],
        families.member_family[first],
        families.count,
        _new("f-"),
    )
    progress(0.95, "assessing needs")
    analysed = Action.ANALYSE in agreement.actions  # what nobody may look at is not worked out
    said = read_indicators(
        sources,
        linked.person_of,
        sorted(indicator.id for indicator in agreement.indicators) if analysed else (),
        families.member_family,
        families.member_person,
    )
    needs = sorted(agreement.needs) if analysed else ()
    assessed = assess(said, needs, agreement.minimum_needs, whereabouts.resident)
    referral = next(iter(agreement.used_as("referral")), "")
    progress(1.0, "assessed")
    return Results(
        sources,
        linked,
        handles,
        person,
        persons,
        families,
        family_ids,
        whereabouts,
        assessed,
        states_of(said, referral, families.count),
        {
            use: categorised(said, agreement.used_as(use), families.count)
            for use in CATEGORISED
            if agreement.used_as(use)
        },
        {name: states_of(said, name, families.count) for name in agreement.details},
    )


def _new(prefix: str) -> Callable[[int], list[str]]:
    def ids(count: int) -> list[str]:
        words = secrets.token_bytes(count * _ID_BYTES).hex()
        step = 2 * _ID_BYTES
        return [prefix + words[at : at + step] for at in range(0, len(words), step)]

    return ids
