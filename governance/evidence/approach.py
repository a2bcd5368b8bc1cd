"""What happened in one approach, derived from its entries alone.

The builder of a pack and its verifier call the same function, so that a pack says nothing that its
entries do not. Every signature is verified by the replay that ledger and agents use.
"""

from pydantic import BaseModel

from governance.agreements.life import life
from governance.canonical import parse_time
from governance.evidence.case import Case, replay
from governance.evidence.models import (
    Answer,
    Approach,
    Asked,
    Came,
    Decision,
    Legal,
    Moment,
    Purged,
    Signed,
    Staff,
    UnderAgreement,
)
from governance.evidence.moments import Look
from governance.identity.envelope import Envelope
from governance.identity.models import PersonKeys
from governance.ledger.events import EventType
from governance.ledger.payloads import (
    AgreementProposed,
    AgreementSigned,
    Outcome,
    ReleaseRefused,
    RetentionPurged,
    Sealed,
)


def approach_of(case: Case) -> Approach:
    """Derive everything about one approach."""
    answers = _answers(case)
    decision = _decision(case)
    return Approach(
        asked=_asked(case),
        agreement=_agreement(case, {answer.party for answer in answers}),
        decision=decision,
        members=case.record.request.members,
        members_given=case.question.members is not None,
        answers=answers,
        moments=_moments(case, decision, answers),
        outcomes=tuple(
            Came(outcome=payload.outcome, entry=index, time=event.leaf.time)
            for index, event, payload in case.of(EventType.RELEASE_OUTCOME, Outcome)
        ),
        released_items_days=case.standing.agreement.retention.released_items_days,
        purged=_purged(case),
    )


def _staff(person: PersonKeys, envelope: Envelope) -> Staff:
    passkey = all(one.scheme == "webauthn" for one in envelope.signatures)
    return Staff(
        person=person.person,
        role=person.role.value,
        party=person.party,
        keys=person.thumbprint,
        signed_with="passkey" if passkey else "key_file",
    )


def _asked(case: Case) -> Asked:
    index, event, envelope = case.request
    request = case.record.request
    purposes = {each.id: each.description for each in case.standing.agreement.purposes}
    return Asked(
        hash=case.question.request,
        entry=index,
        logged=event.leaf.time,
        by=_staff(case.record.requester, envelope),
        purpose=request.purpose,
        purpose_in_words=purposes.get(request.purpose, "not a purpose of the agreement"),
        family=request.family,
        items=request.items,
        left_out=len(request.without),
        created=request.created,
        expires=request.expires,
    )


def _agreement(case: Case, answering: set[str]) -> UnderAgreement:
    standing = case.standing
    agreement = standing.agreement
    hash_ = agreement.hash
    proposed = next(
        index
        for index, _, payload in case.of(EventType.AGREEMENT_PROPOSED, AgreementProposed)
        if payload.agreement.hash == hash_
    )
    signed = tuple(
        Signed(party=case.party(event), time=event.leaf.time, entry=index)
        for index, event, payload in case.of(EventType.AGREEMENT_SIGNED, AgreementSigned)
        if payload.agreement == hash_
    )
    index, event, _ = case.request
    then = replay(case.question.log, case.entries, index).agreements.standing(hash_)
    return UnderAgreement(
        hash=hash_,
        id=agreement.id,
        version=agreement.version,
        title=agreement.title,
        entry=proposed,
        signed=signed,
        state_when_asked=life(then, parse_time(event.leaf.time)).state.value,
        valid_from=agreement.valid_from,
        review_by=agreement.review_by,
        expires=agreement.expires,
        dpia_reference=agreement.dpia.reference,
        dpia_outcome=agreement.dpia.outcome,
        dpia_approved_on=agreement.dpia.approved_on,
        legal=tuple(
            Legal(party=each.party, name=each.name, role=each.role, **each.gateway.model_dump())
            for each in agreement.parties
            if each.party in answering | {case.record.requester.party}
        ),
    )


def _decision(case: Case) -> Decision | None:
    approval, approver = case.record.decision, case.record.approver
    if approval is None or approver is None or case.approval is None:
        return None
    index, event, envelope = case.approval
    return Decision(
        entry=index,
        logged=event.leaf.time,
        decision=approval.decision,
        why=approval.reason,
        by=_staff(approver, envelope),
        checkpoint_size=approval.checkpoint.size,
        checkpoint_root=approval.checkpoint.root,
    )


def _answers(case: Case) -> tuple[Answer, ...]:
    sealed = [
        Answer(
            party=payload.party,
            entry=index,
            time=event.leaf.time,
            answer="sealed",
            reason="",
            records=payload.records,
            checkpoint_size=payload.checkpoint and payload.checkpoint.size,
            order=payload.order,
            ciphertext=payload.ciphertext_sha256,
        )
        for index, event, payload in case.of(EventType.RELEASE_SEALED, Sealed)
    ]
    refused = [
        Answer(
            party=payload.party,
            entry=index,
            time=event.leaf.time,
            answer="refused",
            reason=payload.reason,
            records=0,
            checkpoint_size=None,
            order=None,
            ciphertext=None,
        )
        for index, event, payload in case.of(EventType.RELEASE_REFUSED, ReleaseRefused)
    ]
    return tuple(sorted((*sealed, *refused), key=lambda answer: answer.entry))


def _moments(
    case: Case, decision: Decision | None, answers: tuple[Answer, ...]
) -> tuple[Moment, ...]:
    """The approval, then each answer of a party of the agreement."""
    found = []
    if decision is not None:
        size = min(decision.checkpoint_size, decision.entry)
        found.append(Look(case, "approval", decision.by.party, size, decision.logged).moment())
    for answer in answers:
        if case.standing.agreement.party(answer.party) is not None:
            size = min(answer.checkpoint_size or answer.entry, answer.entry)
            found.append(Look(case, "answer", answer.party, size, answer.time).moment())
    return tuple(found)


def counts_of(payload: BaseModel) -> dict[str, int]:
    """Every count of a payload that is not 0, by name."""
    return {name: value for name, value in payload if isinstance(value, int) and value}


def _purged(case: Case) -> tuple[Purged, ...]:
    return tuple(
        Purged(
            party=payload.party,
            entry=index,
            time=event.leaf.time,
            counts=counts_of(payload),
        )
        for index, event, payload in case.of(EventType.RETENTION_PURGED, RetentionPurged)
    )
