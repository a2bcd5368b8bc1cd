"""A report put together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from governance.agreements.models import Agreement
from governance.canonical import hash_of
from governance.exchange.analysis_api import ComparedSource, SourceFreshness
from governance.transparency.models import Program
from linkage_hub.analytics.programme.change import change
from linkage_hub.analytics.programme.claims import claims, spoken
from linkage_hub.analytics.programme.figures import (
    claim_figures,
    distance_figures,
    forward_figures,
    membership,
)
from linkage_hub.analytics.programme.models import ProgrammeReport, RunFacts, SourceFacts
from linkage_hub.analytics.programme.month import Month


@dataclass(frozen=True)
class About:
    """What a report says of itself.

    Attributes:
        run, before: facts of the runs; ``before`` is None without a month before.
        sources: as fresh as they are now.
        compared: sources of both runs; empty without a month before.
    """

    agreement: Agreement
    program: Program
    written_on: date
    run: RunFacts
    before: RunFacts | None
    sources: Sequence[SourceFreshness]
    compared: Sequence[ComparedSource]


def report(now: Month, before: Month | None, about: About) -> ProgrammeReport:
    """The report of a month, with the change since the one before where there is one."""
    changed = None if before is None else change(before, now)
    full_before, forward, spoken_before = None, None, None
    if before is not None and changed is not None:
        full_before = changed.followed.back(claims(before).full)
        spoken_before = changed.followed.back(spoken(before))
        forward = forward_figures(before, now, changed)
    return ProgrammeReport(
        written_on=about.written_on.isoformat(),
        agreement=about.agreement.hash,
        title=about.agreement.title,
        catalogue=now.criteria.title,
        catalogue_hash=hash_of(now.criteria),
        program=about.program,
        run=about.run,
        before=about.before,
        membership=membership(now, changed, before),
        claims=claim_figures(now, claims(now, spoken_before), full_before),
        distances=tuple(distance_figures(now, before, changed)),
        forward=forward,
        sources=tuple(_sources(about)),
    )


def _sources(about: About) -> list[SourceFacts]:
    new = {(each.party, each.source): each.changed for each in about.compared}
    return [
        SourceFacts(
            party=each.party,
            source=each.source,
            extracted_on=each.extracted_on,
            age_days=each.age_days,
            records=each.records,
            in_newest_run=each.in_current_run,
            new=new.get((each.party, each.source)),
        )
        for each in about.sources
    ]
