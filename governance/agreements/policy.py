"""What an agreement permits.

Rules, in order: every party has signed; today lies within ``valid_from`` .. ``expires``;
``review_by`` has not passed; it is neither suspended nor superseded; the party is a signatory; the
action and the purpose are listed; the source is that party's; every column and indicator is listed
for it. Anything not listed is refused, with the reason that failed first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from governance.agreements.errors import (
    ActionNotAllowed,
    AgreementExpired,
    AgreementNotYetValid,
    AgreementReviewOverdue,
    AgreementSuperseded,
    AgreementSuspended,
    AgreementUnsigned,
    ItemNotListed,
    ItemNotReleasable,
    PartyNotListed,
    PurposeNotListed,
    RecipientNotListed,
    SourceNotListed,
    VolumeExceeded,
)
from governance.agreements.models import Action, Agreement, Purpose, Source

_DONE: Final = {
    Action.ENCODE: "encoding",
    Action.SUBMIT: "submissions",
    Action.LINK: "linking",
    Action.REFINE: "refinement",
    Action.ANALYSE: "analysis",
    Action.RELEASE: "releases",
}


@dataclass(frozen=True)
class Standing:
    """Where an agreement stands in the ledger."""

    agreement: Agreement
    signed_by: frozenset[str]
    suspended_by: frozenset[str]
    superseded: bool
    complete_at: int | None = None
    """Index of the ledger entry with the last missing signature."""


def in_force(standing: Standing, now: datetime) -> None:
    """Check that an agreement is in force.

    Raises:
        AgreementRefusal: unsigned, not yet valid, expired, review overdue, suspended, superseded.
    """
    agreement = standing.agreement
    missing = sorted({party.party for party in agreement.parties} - standing.signed_by)
    if missing:
        raise AgreementUnsigned(
            f"agreement {agreement.id} is not signed by {', '.join(missing)}",
            next_step="each of them runs: partner-agent agreement sign; a hub: linkage-hub "
            "agreement sign",
        )
    today = now.astimezone(UTC).date()
    if today < date.fromisoformat(agreement.valid_from):
        raise AgreementNotYetValid(f"agreement {agreement.id} starts on {agreement.valid_from}")
    if today >= date.fromisoformat(agreement.expires):
        raise AgreementExpired(
            f"agreement {agreement.id} expired on {agreement.expires}",
            next_step="agree and sign a new version",
        )
    if today > date.fromisoformat(agreement.review_by):
        raise AgreementReviewOverdue(
            f"agreement {agreement.id} was to be reviewed by {agreement.review_by}",
            next_step="review it and sign a new version",
        )
    if standing.suspended_by:
        raise AgreementSuspended(
            f"agreement {agreement.id} is suspended by {', '.join(sorted(standing.suspended_by))}"
        )
    if standing.superseded:
        raise AgreementSuperseded(f"agreement {agreement.id} has a later version in force")


def permits(
    standing: Standing,
    *,
    party: str,
    action: Action,
    purpose: str,
    now: datetime,
    source: str | None = None,
    items: Iterable[str] = (),
    indicators: Iterable[str] = (),
    records: int = 0,
    recipient: str | None = None,
) -> Agreement:
    """Check that a party may do something under an agreement.

    Args:
        standing: the agreement and where it stands.
        party: who acts.
        action: what it does.
        purpose: the purpose it states.
        now: aware time.
        source: the source system, for ``encode`` and ``submit``.
        items: columns to hash, or items to release.
        indicators: indicators to submit.
        records: how many records.
        recipient: the organisation that would receive released items.

    Returns:
        The agreement.

    Raises:
        AgreementRefusal: with the reason that failed first.
    """
    in_force(standing, now)
    agreement = standing.agreement
    if agreement.party(party) is None:
        raise PartyNotListed(f"{party} is not a party to agreement {agreement.id}")
    require_action(agreement, action)
    _purpose(agreement, purpose, approach=action is Action.RELEASE)
    if source is not None:
        _source(
            agreement,
            party,
            source,
            items=list(items),
            indicators=list(indicators),
            records=records,
        )
    elif action in (Action.ENCODE, Action.SUBMIT):
        raise SourceNotListed("a source must be named to encode or submit")
    if action is Action.RELEASE:
        _releasable(agreement, list(items), recipient)
    return agreement


def require_action(agreement: Agreement, action: Action) -> None:
    """Check that an agreement names an action, whoever acts.

    Raises:
        ActionNotAllowed: it does not.
    """
    if action not in agreement.actions:
        raise ActionNotAllowed(f"agreement {agreement.id} does not allow {_DONE[action]}")


def _purpose(agreement: Agreement, purpose: str, *, approach: bool) -> Purpose:
    found = next((listed for listed in agreement.purposes if listed.id == purpose), None)
    if found is None or (approach and not found.approach):
        raise PurposeNotListed(f"agreement {agreement.id} does not list this purpose for it")
    return found


def _source(
    agreement: Agreement,
    party: str,
    source: str,
    *,
    items: list[str],
    indicators: list[str],
    records: int,
) -> Source:
    found = agreement.source(source)
    if found is None or found.party != party:
        raise SourceNotListed(f"agreement {agreement.id} lists no source {source} of {party}")
    outside = sorted(set(items) - set(found.items)) + sorted(
        set(indicators) - set(found.indicators)
    )
    if outside:
        raise ItemNotListed(
            f"agreement {agreement.id} does not list for {source}: {', '.join(outside)}",
            next_step="take them out of the source mapping, or agree a new version",
        )
    if records > found.max_records:
        raise VolumeExceeded(f"{records} records; agreed for {source}: {found.max_records}")
    return found


def _releasable(agreement: Agreement, items: list[str], recipient: str | None) -> None:
    if recipient not in agreement.recipients:
        raise RecipientNotListed(f"agreement {agreement.id} does not list this recipient")
    releasable = {item.id for item in agreement.items if item.releasable}
    outside = sorted(set(items) - releasable)
    if outside or not items:
        raise ItemNotReleasable(
            f"agreement {agreement.id} does not release: {', '.join(outside) or 'an empty list'}"
        )
