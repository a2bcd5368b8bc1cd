"""What happened in a period, derived from the ledger's stream alone."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import TypeVar

from pydantic import BaseModel

from governance.agreements.life import life
from governance.agreements.models import Agreement
from governance.canonical import parse_time, write_time
from governance.evidence.approach import counts_of
from governance.evidence.choosing import request_of
from governance.evidence.period_models import (
    Approached,
    Change,
    Destroyed,
    PartnerAnswer,
    Period,
    Refusal,
    RightsLine,
    Round,
    Run,
    Sent,
    Stood,
)
from governance.evidence.stream import Stream
from governance.ledger.events import Event, EventType
from governance.ledger.payloads import (
    AgreementProposed,
    AgreementSigned,
    AgreementStopped,
    LinkRunFinished,
    RefinementAnswered,
    Refused,
    ReleaseRefused,
    Requested,
    RetentionPurged,
    Sealed,
    SubmissionOutcome,
    read_payload,
)

Payload = TypeVar("Payload", bound=BaseModel)


def period_of(stream: Stream) -> Period:
    """Derive everything about a period from a stream that was read to its end."""
    rejected = {item.index for item in stream.state.rejected}
    events = [
        (index, event, read_payload(event))
        for index, event in stream.events
        if index not in rejected
    ]
    inside = [placed for placed in events if stream.days.holds(placed[1].leaf.time)]
    refusals = tuple(_refusals(stream, inside))
    return Period(
        first_day=stream.days.first.isoformat(),
        last_day=stream.days.last.isoformat(),
        ledger_until=stream.until,
        entries_in_period=stream.inside,
        events=dict(sorted(stream.kinds.items())),
        consents=_consents(stream),
        agreements=_stood(stream, events),
        changes=_changes(stream, events),
        approaches=_approaches(stream, events),
        refusals=refusals,
        reasons=dict(Counter(refusal.reason for refusal in refusals).most_common()),
        submissions=_submissions(inside),
        runs=tuple(
            Run(
                run=payload.run,
                time=event.leaf.time,
                entry=index,
                persons=payload.persons,
                families=payload.families,
                flagged=payload.flagged,
            )
            for index, event, payload in _of(inside, LinkRunFinished)
        ),
        rounds=_rounds(inside),
        rulings=sum(event.leaf.type is EventType.REVIEW_RULED for _, event, _ in inside),
        destroyed=tuple(
            Destroyed(
                party=payload.party, time=event.leaf.time, entry=index, counts=counts_of(payload)
            )
            for index, event, payload in _of(inside, RetentionPurged)
        ),
        rights=_rights(stream, events),
        inadmissible={str(item.index): item.reason for item in stream.state.rejected},
    )


Read = tuple[int, Event, BaseModel]


def _of(events: list[Read], model: type[Payload]) -> Iterator[tuple[int, Event, Payload]]:
    for index, event, payload in events:
        if isinstance(payload, model):
            yield index, event, payload


def _party(stream: Stream, thumbprint: str) -> str:
    known = stream.state.identities.parties.get(thumbprint)
    return "unknown" if known is None else known.party


def _consents(stream: Stream) -> dict[str, dict[str, int]]:
    """Numbers by event and party."""
    return {
        kind: dict(sorted((_party(stream, author), count) for author, count in authors.items()))
        for kind, authors in sorted(stream.counted.items())
    }


def _until(stream: Stream) -> datetime:
    """As of when the end of the period is told: its last second, or the ledger's newest entry."""
    return min(parse_time(stream.days.end) - timedelta(seconds=1), parse_time(stream.until))


def _stood(stream: Stream, events: list[Read]) -> tuple[Stood, ...]:
    found = []
    start = parse_time(stream.days.start)
    proposed = {p.agreement.hash: i for i, _, p in _of(events, AgreementProposed)}
    for hash_, standing in stream.at_end.items():
        agreement = standing.agreement
        then, now = stream.at_start.get(hash_), life(standing, _until(stream))
        found.append(
            Stood(
                hash=hash_,
                id=agreement.id,
                version=agreement.version,
                title=agreement.title,
                entry=proposed[hash_],
                at_start=then and life(then, start).state.value,
                at_end=now.state.value,
                next_step=now.next_step,
                by=now.by and now.by.isoformat(),
                valid_from=agreement.valid_from,
                review_by=agreement.review_by,
                expires=agreement.expires,
                dpia_reference=agreement.dpia.reference,
                dpia_outcome=agreement.dpia.outcome,
                dpia_approved_on=agreement.dpia.approved_on,
            )
        )
    return tuple(found)


_CHANGED = {
    EventType.AGREEMENT_PROPOSED: "proposed",
    EventType.AGREEMENT_SIGNED: "signed",
    EventType.AGREEMENT_SUSPENDED: "suspended",
    EventType.AGREEMENT_RESUMED: "resumed",
}


def _changes(stream: Stream, events: list[Read]) -> tuple[Change, ...]:
    known = {hash_: standing.agreement for hash_, standing in stream.at_end.items()}
    found = [
        change
        for agreement in known.values()
        for change in _dates(agreement)
        if parse_time(change.time) <= _until(stream)
    ]
    for index, event, payload in events:
        match payload:
            case AgreementProposed():
                hash_, reason = payload.agreement.hash, ""
            case AgreementSigned():
                hash_, reason = payload.agreement, ""
            case AgreementStopped():
                hash_, reason = payload.agreement, payload.reason
            case _:
                continue
        if hash_ in known:
            found.append(
                Change(
                    agreement=known[hash_].id,
                    version=known[hash_].version,
                    time=event.leaf.time,
                    what=_CHANGED[event.leaf.type],
                    party=_party(stream, event.leaf.author),
                    reason=reason,
                    entry=index,
                )
            )
    inside = (change for change in found if stream.days.holds(change.time))
    return tuple(sorted(inside, key=lambda change: (change.time, change.entry or 0)))


def _dates(agreement: Agreement) -> Iterator[Change]:
    """What happens to an agreement by itself."""
    review = datetime.fromisoformat(agreement.review_by) + timedelta(days=1)
    for day, what in (
        (datetime.fromisoformat(agreement.valid_from), "begins, by its date"),
        (review, "stops for want of a review, by its date, unless superseded"),
        (datetime.fromisoformat(agreement.expires), "ends, by its date"),
    ):
        yield Change(
            agreement=agreement.id,
            version=agreement.version,
            time=write_time(datetime.combine(day.date(), time(), UTC)),
            what=what,
            party=None,
            reason="",
            entry=None,
        )


def _approaches(stream: Stream, events: list[Read]) -> tuple[Approached, ...]:
    about: dict[str, list[Read]] = {}
    for placed in events:
        if (request := request_of(placed[2])) is not None:
            about.setdefault(request, []).append(placed)
    return tuple(
        _approached(stream, request, found)
        for request, found in about.items()
        if request in stream.state.releases.requests
        and any(stream.days.holds(event.leaf.time) for _, event, _ in found)
    )


def _approached(stream: Stream, request: str, found: list[Read]) -> Approached:
    record = stream.state.releases.requests[request]
    index, event, _ = next(_of(found, Requested))
    decision = record.decision
    return Approached(
        request=request,
        entry=index,
        time=event.leaf.time,
        party=record.requester.party,
        purpose=record.request.purpose,
        items=record.request.items,
        decision=decision and decision.decision,
        decision_entry=record.decision_index,
        decided_by=record.approver and record.approver.party,
        why=decision.reason if decision else "",
        answers=tuple(_answers(found)),
        outcome=record.outcome or "",
    )


def _answers(found: list[Read]) -> Iterator[PartnerAnswer]:
    for index, event, payload in found:
        match payload:
            case Sealed():
                party, released, reason = payload.party, payload.records, ""
            case ReleaseRefused():
                party, released, reason = payload.party, 0, payload.reason
            case _:
                continue
        yield PartnerAnswer(
            party=party, time=event.leaf.time, entry=index, released=released, reason=reason
        )


def _refusals(stream: Stream, inside: list[Read]) -> Iterator[Refusal]:
    """Every refusal, as whoever refused it says; declined requests among them."""
    for index, event, payload in inside:
        kind = event.leaf.type
        match payload:
            case SubmissionOutcome() if kind is EventType.SUBMISSION_REFUSED:
                party, reason, about = payload.party, payload.reason or "", payload.source
            case ReleaseRefused():
                party, reason, about = payload.party, payload.reason, payload.request
            case Refused():
                party, reason, about = payload.party, payload.reason, payload.about or ""
            case _ if kind is EventType.RELEASE_DECLINED:
                about = request_of(payload) or ""
                record = stream.state.releases.requests[about]
                party = record.approver.party if record.approver else ""
                reason = record.decision.reason if record.decision else ""
            case _:
                continue
        what = payload.action if isinstance(payload, Refused) else kind.value
        yield Refusal(
            time=event.leaf.time, entry=index, party=party, what=what, reason=reason, about=about
        )


def _submissions(inside: list[Read]) -> tuple[Sent, ...]:
    found: dict[tuple[str, str], list[tuple[int, bool, int]]] = {}
    for index, event, payload in _of(inside, SubmissionOutcome):
        accepted = event.leaf.type is EventType.SUBMISSION_ACCEPTED
        line = (index, accepted, payload.records)
        found.setdefault((payload.party, payload.source), []).append(line)
    return tuple(
        Sent(
            party=party,
            source=source,
            accepted=sum(accepted for _, accepted, _ in lines),
            refused=sum(not accepted for _, accepted, _ in lines),
            records=sum(records for _, accepted, records in lines if accepted),
            entries=tuple(index for index, _, _ in lines),
        )
        for (party, source), lines in sorted(found.items())
    )


def _rounds(inside: list[Read]) -> tuple[Round, ...]:
    asked: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    refused: dict[str, Counter[str]] = {}
    for _, _, payload in _of(inside, RefinementAnswered):
        asked[payload.party] += payload.asked
        answered[payload.party] += payload.answered
        refused.setdefault(payload.party, Counter()).update(payload.refused)
    return tuple(
        Round(
            party=party,
            asked=asked[party],
            answered=answered[party],
            refused=dict(sorted(refused[party].items())),
        )
        for party in sorted(asked)
    )


def _rights(stream: Stream, events: list[Read]) -> tuple[RightsLine, ...]:
    """Requests of data subjects that were open in the period, as they stand at the ledger's end."""
    places = {event.leaf.id: (index, event) for index, event, _ in events}
    closed = {
        event.leaf.refs[0]: event.leaf.time
        for _, event, _ in events
        if event.leaf.type is EventType.RIGHTS_CLOSED
    }
    today = _until(stream).date().isoformat()
    found = []
    for request in stream.state.rights.requests.values():
        index, event = places[request.id]
        done = closed.get(request.id, "")
        if event.leaf.time >= stream.days.end or (done and done < stream.days.start):
            continue
        found.append(
            RightsLine(
                party=request.opened.party,
                kind=request.opened.kind.value,
                received=request.opened.received,
                due=request.due,
                entry=index,
                state=request.closed.outcome if request.closed else "open",
                overdue=(done[:10] or today) > request.due,
            )
        )
    return tuple(found)
