"""The public register: what anybody may see of what is done with people's data.

Rules: agreements are shown as they were signed, since they say nothing about anybody. Counts are of
whole months that the ledger itself has closed, by an entry of a later month, and a week later. An
entry counts in the month in which it came, whatever earlier time it states, so what was published
of a month never changes, and whoever looks before and after an event sees the same page until the
month is over. The threshold of a month is the strictest that the agreement has had until then, so
that a laxer version publishes nothing anew. Every count goes through ``disclosure.publish`` by
itself. Nothing tells how many entries the ledger has, when the newest came, what a single partner
did, who refused and why, or that a consent was given or withdrawn: a neighbour who watches the page
for the day on which somebody was visited learns nothing from it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from math import ceil
from statistics import median
from typing import Any, Final

from governance.agreements.life import Life, life
from governance.agreements.models import Agreement
from governance.agreements.privacy import PrivacyBudget
from governance.canonical import Frozen
from governance.disclosure.counts import Published, publish
from governance.oversight.months import month_of, months, shifted
from governance.oversight.state import Overseen
from governance.rights.models import RightsKind

MONTHS: Final = 24  # shown
YEARS: Final = 5
SETTLED: Final = 8  # day of the next month from which a month is shown
_WEEK: Final = 7  # days


class PublicParty(Frozen):
    """A party of an agreement, and what it may do it by."""

    party: str
    name: str
    role: str
    contact: str
    legal_gateway: str
    article_6_basis: str
    article_9_condition: str
    article_10_condition: str
    common_law_route: str


class PublicAgreement(Frozen):
    """An agreement in words that a member of the public can use.

    Attributes:
        state: as ``agreements.life`` has it.
        items: what is used, by name and description; ``released`` of them, what an approach may
            need.
        kept_days: for how long, by what.
        privacy_budget: what models may cost of privacy in a calendar year; None where the agreement
            allows none.
    """

    id: str
    version: int
    title: str
    state: str
    hash: str
    valid_from: str
    review_by: str
    expires: str
    dpia: str
    parties: tuple[PublicParty, ...]
    purposes: dict[str, str]
    items: dict[str, str]
    indicators: dict[str, str]
    released: tuple[str, ...]
    recipients: tuple[str, ...]
    kept_days: dict[str, int]
    privacy_budget: PrivacyBudget | None


class PublicMonth(Frozen):
    """Requests for one family's contact details, in one month.

    Attributes:
        released: requests that were answered with a family's details.
        refused: requests that were refused before anybody had released.
    """

    month: str
    released: Published
    refused: Published


class PublicRights(Frozen):
    """Requests of people about their own data, of one kind, in one year.

    Attributes:
        asked: how many came.
        late: how many were answered after they were due.
        half_within_weeks: half of them were answered within so many weeks; None where few were.
    """

    kind: RightsKind
    asked: Published
    late: Published
    half_within_weeks: int | None


class PublicYear(Frozen):
    """What people asked for about their own data in one year."""

    year: str
    rights: tuple[PublicRights, ...]


class PublicFigures(Frozen):
    """What was done under one agreement, all its versions together.

    Attributes:
        months: the newest first; whole ones only.
        people: linked by the newest run of the last whole month that had one, under pseudonyms.
        families: found among them; ``considered``: in which several needs are met; None too
            where the agreement does not name analysis.
        linked_in: that month; empty where there was no run.
    """

    agreement: str
    months: tuple[PublicMonth, ...]
    years: tuple[PublicYear, ...]
    linked_in: str
    people: Published | None
    families: Published | None
    considered: Published | None


class PublicRegister(Frozen):
    """The whole register.

    Attributes:
        until: the last month that is counted; empty where none is over yet.
    """

    until: str
    agreements: tuple[PublicAgreement, ...]
    figures: tuple[PublicFigures, ...]


def public_register(state: Overseen, now: datetime) -> PublicRegister:
    """The register at a time.

    Args:
        state: the replay.
        now: aware time; months that are not over and settled by then are not counted.
    """
    until = _until(state, now)
    standings = [state.agreements.standing(hash_) for hash_ in state.agreements]
    shown = [each for each in standings if each.complete_at is not None]
    ids = sorted({each.agreement.id for each in shown})
    counted = (_Counter(state, id_, until).figures() for id_ in ids)
    return PublicRegister(
        until=until,
        agreements=tuple(_agreement(each.agreement, life(each, now)) for each in shown),
        figures=tuple(figures for figures in counted if figures is not None),
    )


def _until(state: Overseen, now: datetime) -> str:
    """The last month that is over by the ledger and by the clock; empty where there is none."""
    begins, today = state.chronicle.begins, now.astimezone(UTC).date()
    if not begins:
        return ""
    settled = shifted(month_of(today), -1 if today.day >= SETTLED else -2)
    until = min(shifted(max(begins), -1), settled)
    return until if until >= min(begins) else ""


class _Counter:
    """Counts what happened under one agreement."""

    def __init__(self, state: Overseen, agreement: str, until: str) -> None:
        self._chronicle = state.chronicle
        self._agreement = agreement
        self._until = until
        found = (state.agreements.standing(hash_) for hash_ in state.agreements)
        self._thresholds = [
            (each.complete_at, each.agreement.suppression_threshold)
            for each in found
            if each.agreement.id == agreement and each.complete_at is not None
        ]

    def figures(self) -> PublicFigures | None:
        """The figures; None where no month has ended since the agreement was signed."""
        shown = (
            [
                month
                for month in months(min(self._chronicle.begins), self._until, MONTHS + 12 * YEARS)
                if self._threshold(month) is not None
            ]
            if self._until
            else []
        )
        if not shown:
            return None
        linked = [month for month in shown if (month, self._agreement) in self._chronicle.runs]
        return PublicFigures(
            agreement=self._agreement,
            months=tuple(self._month(month) for month in reversed(shown[-MONTHS:])),
            years=tuple(self._years(shown)),
            **self._linked(linked[-1] if linked else ""),
        )

    def _threshold(self, month: str) -> int | None:
        """The strictest that was signed before a month ended; None where none was."""
        later = [place for begun, place in self._chronicle.begins.items() if begun > month]
        ended = min(later)
        return max((limit for at, limit in self._thresholds if at < ended), default=None)

    def _publish(self, count: int, month: str) -> Published:
        threshold = self._threshold(month)
        assert threshold is not None  # noqa: S101 - such months are not shown
        return publish(count, threshold)

    def _count(self, what: str, *when: str) -> int:
        return sum(
            self._chronicle.happened.get((month, self._agreement, what), 0) for month in when
        )

    def _month(self, month: str) -> PublicMonth:
        return PublicMonth(
            month=month,
            released=self._publish(self._count("released", month), month),
            refused=self._publish(self._count("refused", month), month),
        )

    def _years(self, shown: list[str]) -> Iterator[PublicYear]:
        """Whole years, the newest first."""
        last = [month for month in shown if month.endswith("-12")]
        for december in reversed(last[-YEARS:]):
            year = december[:4]
            yield PublicYear(
                year=year, rights=tuple(self._rights(year, kind) for kind in RightsKind)
            )

    def _rights(self, year: str, kind: RightsKind) -> PublicRights:
        december = f"{year}-12"
        whole = months(f"{year}-01", december, 12)
        answered = [
            each
            for each in self._chronicle.answered.values()
            if (each.agreement, each.kind, each.month[:4]) == (self._agreement, kind.value, year)
        ]
        half = None
        if self._publish(len(answered), december).about is not None:
            half = max(ceil(median(each.days for each in answered) / _WEEK), 1)
        return PublicRights(
            kind=kind,
            asked=self._publish(self._count(f"rights.{kind.value}", *whole), december),
            late=self._publish(sum(each.late for each in answered), december),
            half_within_weeks=half,
        )

    def _linked(self, month: str) -> dict[str, Any]:
        if not month:
            return {"linked_in": "", "people": None, "families": None, "considered": None}
        ran = self._chronicle.runs[month, self._agreement]
        return {
            "linked_in": month,
            "people": self._publish(ran.persons, month),
            "families": self._publish(ran.families, month),
            "considered": None if ran.flagged is None else self._publish(ran.flagged, month),
        }


def _agreement(agreement: Agreement, life: Life) -> PublicAgreement:
    keep = agreement.retention
    return PublicAgreement(
        id=agreement.id,
        version=agreement.version,
        title=agreement.title,
        state=life.state.value,
        hash=agreement.hash,
        valid_from=agreement.valid_from,
        review_by=agreement.review_by,
        expires=agreement.expires,
        dpia=agreement.dpia.reference,
        parties=tuple(
            PublicParty(
                party=party.party,
                name=party.name,
                role=party.role,
                contact=party.dpo_contact,
                legal_gateway=party.gateway.legal_gateway,
                article_6_basis=party.gateway.article_6_basis,
                article_9_condition=party.gateway.article_9_condition,
                article_10_condition=party.gateway.article_10_condition,
                common_law_route=party.gateway.common_law_route,
            )
            for party in agreement.parties
        ),
        purposes={each.id: each.description for each in agreement.purposes},
        items={each.id: each.description for each in agreement.items},
        indicators={each.id: each.description for each in agreement.indicators},
        released=tuple(each.id for each in agreement.items if each.releasable),
        recipients=agreement.recipients,
        kept_days={
            "vault": keep.vault_days,
            "encodings": keep.encodings_days,
            "results": keep.link_results_days,
            "released": keep.released_items_days,
        },
        privacy_budget=agreement.privacy_budget,
    )
