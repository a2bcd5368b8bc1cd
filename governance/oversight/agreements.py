"""Agreements, where each is in its life, and everything that is due under them and when."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from governance.agreements.life import PERMITS, LifeState, life
from governance.agreements.policy import Standing
from governance.canonical import Frozen
from governance.oversight.requests import waiting
from governance.oversight.retention import retention
from governance.oversight.rights import rights
from governance.oversight.state import Overseen


class AgreementLine(Frozen):
    """An agreement and where it is in its life (``agreements.life``).

    Attributes:
        missing: parties that have not signed.
        by: the last day for the next step; empty where there is none.
    """

    agreement: str
    id: str
    version: int
    title: str
    state: LifeState
    permits: bool
    reason: str
    next_step: str
    who: tuple[str, ...]
    by: str
    signed_by: tuple[str, ...]
    missing: tuple[str, ...]
    suspended_by: tuple[str, ...]
    valid_from: str
    review_by: str
    expires: str
    dpia: str


class DueKind(StrEnum):
    """What somebody has to do."""

    DECIDE = "decide"
    ANSWER = "answer"
    AGREE = "agree"
    DESTROY = "destroy"
    VOUCH = "vouch"


class Due(Frozen):
    """Something that somebody has to do.

    Attributes:
        kind: what.
        detail: its code: the purpose of a request to decide, the right of a data subject to answer,
            the state of an agreement to take further, the artefact to destroy, that every lead
            is lost.
        name: of the agreement, with its version; of the party for whose lead to vouch (ADR 36).
        by: time or day; empty where it has no end.
        late: whether that has passed.
        who: parties that can do it.
        about: hash or id of what it is about.
    """

    kind: DueKind
    detail: str
    name: str
    by: str
    late: bool
    who: tuple[str, ...]
    about: str


def agreements(state: Overseen, now: datetime) -> list[AgreementLine]:
    """Every agreement in the ledger: what permits anything first, then the newest versions."""
    standings = [state.agreements.standing(hash_) for hash_ in state.agreements]
    lines = [_line(standing, now) for standing in standings]
    return sorted(lines, key=lambda line: (not line.permits, line.id, -line.version))


def due(state: Overseen, now: datetime) -> list[Due]:
    """Everything that waits for somebody, the most urgent first.

    Requests to decide, requests of data subjects, agreements' next steps, what should have been
    destroyed, and parties that have lost every lead.
    """
    found = [
        Due(
            kind=DueKind.DECIDE, detail=each.purpose, name=_name(state, each.agreement),
            by=each.expires, late=False, who=_partners(state, each.agreement), about=each.request,
        )
        for each in waiting(state, now)
        if not each.expired
    ]  # fmt: skip
    found += [
        Due(
            kind=DueKind.ANSWER, detail=each.kind.value, name=_name(state, each.agreement),
            by=each.due, late=each.late, who=(each.party,), about=each.id,
        )
        for each in rights(state, now.date())
        if not each.outcome
    ]  # fmt: skip
    found += [_next(line, now) for line in agreements(state, now) if line.who]
    found += [
        Due(
            kind=DueKind.DESTROY, detail=each.what, name=f"{each.agreement} {each.version}",
            by=each.overdue_since, late=True, who=(each.party,), about="",
        )
        for each in retention(state, now)
        if each.overdue_since
    ]  # fmt: skip
    found += _lost(state)
    return sorted(found, key=lambda each: (not each.late, each.by or "9"))


def _lost(state: Overseen) -> list[Due]:
    """Parties without a lead, whose partners' leads may vouch for one."""
    identities, found = state.identities, []
    for party in sorted(each.party for each in identities.parties.values()):
        lost = identities.lost_lead(party)
        bonds = identities.bonds_of(party).values() if lost else ()
        who = sorted(frozenset().union(*(bond.partners for bond in bonds)) - {party})
        if lost and who:
            found.append(
                Due(
                    kind=DueKind.VOUCH, detail="every_lead_lost", name=party, by="", late=False,
                    who=tuple(who), about=lost.keys.thumbprint,
                )
            )  # fmt: skip
    return found


def _next(line: AgreementLine, now: datetime) -> Due:
    """An agreement's next step; what has ended is late since its last day."""
    ended = {LifeState.REVIEW_OVERDUE: line.review_by, LifeState.EXPIRED: line.expires}
    by = line.by or ended.get(line.state, "")
    late = line.state in ended or "" < by < now.astimezone(UTC).date().isoformat()
    return Due(
        kind=DueKind.AGREE, detail=line.state.value, name=f"{line.id} {line.version}", by=by,
        late=late, who=line.who, about=line.agreement,
    )  # fmt: skip


def _partners(state: Overseen, hash_: str) -> tuple[str, ...]:
    """Parties whose leads may decide."""
    return tuple(party.party for party in state.agreements.standing(hash_).agreement.partners)


def _name(state: Overseen, hash_: str) -> str:
    agreement = state.agreements.standing(hash_).agreement
    return f"{agreement.id} {agreement.version}"


def _line(standing: Standing, now: datetime) -> AgreementLine:
    agreement, found = standing.agreement, life(standing, now)
    everyone = {party.party for party in agreement.parties}
    data: dict[str, Any] = {
        "agreement": agreement.hash,
        "state": found.state,
        "permits": found.state in PERMITS,
        "reason": found.reason,
        "next_step": found.next_step,
        "who": found.who,
        "by": found.by.isoformat() if found.by else "",
        "signed_by": tuple(sorted(standing.signed_by)),
        "missing": tuple(sorted(everyone - standing.signed_by)),
        "suspended_by": tuple(sorted(standing.suspended_by)),
        "dpia": f"{agreement.dpia.reference}: {agreement.dpia.outcome.replace('_', ' ')}",
    }
    shown = ("id", "version", "title", "valid_from", "review_by", "expires")
    return AgreementLine(**data, **{name: getattr(agreement, name) for name in shown})
