"""Replay admits what each registry's rule allows, and nothing else."""

from dataclasses import replace
from datetime import timedelta

import pytest

from governance.agreements.models import Agreement
from governance.canonical import sha256, write_time
from governance.errors import FormatError, GovernanceError, SignatureError
from governance.identity.envelope import Envelope, sign
from governance.identity.models import (
    PERSON_ENROLMENT,
    PersonEnrolment,
    Role,
    publish_party_keys,
    publish_person_keys,
)
from governance.ledger.admission import NotAdmissible
from governance.ledger.events import Event, EventType
from governance.ledger.payloads import (
    AgreementProposed,
    ConsentChange,
    Decided,
    Genesis,
    LinkRunFinished,
    PartyAdmitted,
    PersonEnrolled,
    PersonRevoked,
    Refused,
    Requested,
    RetentionPurged,
    Sealed,
    SubmissionOutcome,
)
from governance.ledger.state import LedgerState
from governance.release.errors import NotApproved, NotAServiceManager, RecipientMismatch, SamePerson
from tests.governance.world import NOON, Party, Staff, World, agreement_data

HANDLE = "1" * 32


@pytest.fixture
def world() -> World:
    """Three partners, staff and a signed agreement."""
    return World()


def test_replay_from_nothing_gives_the_same_state(world: World) -> None:
    """A fresh replay of all events rejects none and knows the same agreements and grants."""
    grant = world.consent(world.council, HANDLE)
    state = LedgerState().replay(world.events)
    assert state.rejected == []
    assert set(state.agreements) == {world.agreement.hash}
    assert state.consents.grants[grant.leaf.id].permits(NOON)


def test_an_event_counts_once(world: World) -> None:
    """The same event again, or another under its id, is not admitted."""
    grant = world.consent(world.council, HANDLE)
    with pytest.raises(NotAdmissible, match="once"):
        world.append(grant)


def test_a_ledger_has_one_genesis(world: World) -> None:
    """Neither a second genesis nor another first event is admitted."""
    again = Genesis(
        origin="ledger.example.org/county",
        parties=(publish_party_keys(world.operator.keys, world.operator.signing),),
    )
    with pytest.raises(NotAdmissible):
        world.write(world.operator, EventType.GENESIS, again)
    with pytest.raises(NotAdmissible, match="genesis"):
        LedgerState().check(world.events[1])


def test_only_the_operator_admits_parties(world: World) -> None:
    """A partner cannot let another party in, and no name is taken twice."""
    stranger = Party("dwp")
    payload = PartyAdmitted(keys=publish_party_keys(stranger.keys, stranger.signing))
    with pytest.raises(NotAdmissible):
        world.write(world.council, EventType.PARTY_ADMITTED, payload)
    twin = Party("police")
    payload_twin = PartyAdmitted(keys=publish_party_keys(twin.keys, twin.signing))
    with pytest.raises(NotAdmissible):
        world.write(world.operator, EventType.PARTY_ADMITTED, payload_twin)
    world.write(world.operator, EventType.PARTY_ADMITTED, payload)


def test_an_unknown_or_altered_author_is_refused(world: World) -> None:
    """A stranger's event, and one byte changed in a known party's, are refused."""
    stranger = Party("dwp")
    payload = ConsentChange(grant=HANDLE)
    with pytest.raises(SignatureError):
        world.append(stranger.author().write(EventType.CONSENT_WITHDRAWN, payload, (HANDLE,)))
    event = world.council.author().write(EventType.CONSENT_WITHDRAWN, payload, (HANDLE,))
    later = event.leaf.model_copy(update={"time": write_time(NOON + timedelta(seconds=1))})
    with pytest.raises(SignatureError):
        world.append(replace(event, leaf=later))


def test_an_event_of_another_ledger_counts_in_none_but_that(world: World) -> None:
    """A second ledger that knows the same keys refuses it at append; a mirror does not count it."""
    grant = world.consent(world.council, HANDLE)
    elsewhere = replace(world.council.author(), origin="ledger.example.org/other")
    payload = ConsentChange(grant=grant.leaf.id)
    event = elsewhere.write(EventType.CONSENT_WITHDRAWN, payload, (grant.leaf.id,))
    with pytest.raises(SignatureError):
        world.append(event)
    state = LedgerState().replay([*world.events, event])
    assert [each.reason for each in state.rejected] == ["signature.invalid"]
    assert state.consents.grants[grant.leaf.id].permits(NOON)


def test_a_foreign_partner_cannot_change_a_grant(world: World) -> None:
    """Only the partner that recorded a grant withdraws it."""
    grant = world.consent(world.council, HANDLE)
    with pytest.raises(NotAdmissible):
        world.withdraw(world.partners[0], grant)
    assert world.state.consents.grants[grant.leaf.id].permits(NOON)


@pytest.mark.invariant(3, "a withdrawal whose payload is erased", double="withholds")
def test_a_withdrawal_stands_when_its_payload_is_erased(world: World) -> None:
    """The grant is named in the leaf, so erasing salt and payload undoes nothing."""
    grant = world.consent(world.council, HANDLE)
    withdrawal = world.withdraw(world.council, grant)
    erased = [
        Event(event.leaf, None, None) if event is withdrawal else event for event in world.events
    ]
    state = LedgerState().replay(erased)
    assert not state.consents.grants[grant.leaf.id].permits(NOON)


@pytest.mark.invariant(3, "events after a withdrawal", double="reorders")
def test_a_withdrawal_is_final(world: World) -> None:
    """Nothing brings a withdrawn grant back; a new one has to be recorded."""
    grant = world.consent(world.council, HANDLE)
    world.withdraw(world.council, grant)
    change = ConsentChange(grant=grant.leaf.id)
    with pytest.raises(NotAdmissible):
        world.write(world.council, EventType.CONSENT_REAFFIRMED, change, (grant.leaf.id,))
    world.write(world.council, EventType.CONSENT_TERMINATED, change, (grant.leaf.id,))
    assert world.state.consents.grants[grant.leaf.id].state(NOON).value == "withdrawn"


def test_consent_for_another_partys_source_is_refused(world: World) -> None:
    """A partner records consent for its own sources, and for a purpose that is an approach."""
    with pytest.raises(NotAdmissible):
        world.consent(world.council, HANDLE, source="police_records")
    with pytest.raises(NotAdmissible):
        world.consent(world.council, HANDLE, purpose="find-families")


def _enrol(world: World, staff: Staff, signer: Staff | Party, author: Party) -> Event:
    enrolment = PersonEnrolment(
        keys=staff.keys.thumbprint,
        role=staff.role,
        party=staff.party,
        created=write_time(NOON),
    )
    payload = PersonEnrolled(
        keys=publish_person_keys(staff.keys, staff.signing),
        enrolment=sign(PERSON_ENROLMENT, enrolment, signer.signing, signer.keys.thumbprint),
    )
    return world.write(author, EventType.PERSON_ENROLLED, payload)


def test_staff_are_vouched_for_by_their_own_ig_lead(world: World) -> None:
    """Neither the party's key for a second lead, nor a manager, nor another party may enrol."""
    second = Staff("council", Role.IG_LEAD, "c" * 32)
    with pytest.raises(NotAdmissible):
        _enrol(world, second, world.council, world.council)
    with pytest.raises(NotAdmissible):
        _enrol(world, second, world.manager, world.council)
    with pytest.raises(NotAdmissible):
        _enrol(world, second, world.lead, world.partners[0])
    officer = Staff("police", Role.SERVICE_MANAGER, "d" * 32)
    with pytest.raises(NotAdmissible):
        _enrol(world, officer, world.lead, world.partners[0])
    _enrol(world, second, world.lead, world.council)


def test_revoked_keys_sign_nothing(world: World) -> None:
    """After revocation a manager's request is refused."""
    members = world.members(("1", True, [(world.council, HANDLE)]))
    payload = PersonRevoked(keys=world.manager.keys.thumbprint, reason="left")
    with pytest.raises(NotAdmissible):
        world.write(world.partners[0], EventType.PERSON_REVOKED, payload)
    world.write(world.council, EventType.PERSON_REVOKED, payload)
    with pytest.raises(SignatureError):
        world.write(
            world.hub, EventType.RELEASE_REQUESTED, Requested(request=world.request(members))
        )


@pytest.mark.invariant(8, "a request to another's keys", double="swaps keys")
def test_a_request_is_for_its_signers_own_keys_and_role(world: World) -> None:
    """Another recipient key, or an IG lead as requester, is refused."""
    members = world.members(("1", True, [(world.council, HANDLE)]))
    swapped = world.request(members, recipient=world.lead.keys.thumbprint)
    with pytest.raises(RecipientMismatch):
        world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=swapped))
    world.manager, world.lead = world.lead, world.manager
    with pytest.raises(NotAServiceManager):
        world.write(
            world.hub, EventType.RELEASE_REQUESTED, Requested(request=world.request(members))
        )


@pytest.mark.invariant(7, "one person in two roles, one key for two people", double="swaps keys")
def test_requester_and_approver_are_two_people(world: World) -> None:
    """The same key or the same person under another role decides nothing (invariant 7)."""
    members = world.members(("1", True, [(world.council, HANDLE)]))
    request = world.request(members)
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
    approval = world.approval(request)
    double = Staff("council", Role.IG_LEAD, "e" * 32, signing=world.manager.signing)
    with pytest.raises(NotAdmissible, match="another person's"):
        _enrol(world, double, world.lead, world.council)
    same_person = Staff("council", Role.IG_LEAD, world.manager.id)
    _enrol(world, same_person, world.lead, world.council)
    forged = _as(same_person, world, request)
    with pytest.raises(SamePerson):
        world.write(world.hub, EventType.RELEASE_APPROVED, Decided(approval=forged))
    forged = _as(world.manager, world, request)
    with pytest.raises((NotApproved, SamePerson)):
        world.write(world.hub, EventType.RELEASE_APPROVED, Decided(approval=forged))
    world.write(world.hub, EventType.RELEASE_APPROVED, Decided(approval=approval))
    with pytest.raises(NotAdmissible, match="once"):
        world.write(world.hub, EventType.RELEASE_APPROVED, Decided(approval=approval))


def _as(staff: Staff, world: World, request: Envelope) -> Envelope:
    """An approval of a request, signed by somebody else than the lead."""
    lead, world.lead = world.lead, staff
    envelope = world.approval(request)
    world.lead = lead
    return envelope


@pytest.mark.invariant(9, "a second receipt", double="replays")
def test_sealing_needs_an_approval_and_happens_once(world: World) -> None:
    """A receipt before the approval, by another party, or a second one is refused."""
    members = world.members(("1", True, [(world.council, HANDLE)]))
    request = world.request(members)
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
    receipt = Sealed(
        request=request.payload_hash,
        order=request.payload_hash,
        party="council",
        records=1,
        ciphertext_sha256=request.payload_hash,
    )
    with pytest.raises(NotAdmissible, match="approved"):
        world.write(world.council, EventType.RELEASE_SEALED, receipt)
    world.write(world.hub, EventType.RELEASE_APPROVED, Decided(approval=world.approval(request)))
    with pytest.raises(NotAdmissible):
        world.write(world.partners[0], EventType.RELEASE_SEALED, receipt)
    world.write(world.council, EventType.RELEASE_SEALED, receipt)
    with pytest.raises(NotAdmissible, match="once"):
        world.write(world.council, EventType.RELEASE_SEALED, receipt)


def test_replay_remembers_what_may_not_count(world: World) -> None:
    """A ledger that accepted an inadmissible event is caught by every replay."""
    grant = world.consent(world.council, HANDLE)
    foreign = (
        world.partners[0]
        .author()
        .write(EventType.CONSENT_WITHDRAWN, ConsentChange(grant=grant.leaf.id), (grant.leaf.id,))
    )
    state = LedgerState().replay([*world.events, foreign])
    assert [rejected.index for rejected in state.rejected] == [len(world.events)]
    assert state.consents.grants[grant.leaf.id].permits(NOON)
    with pytest.raises(GovernanceError):
        world.state.check(foreign)


@pytest.mark.parametrize(
    ("changes", "parties", "superseded"),
    [
        ({"version": 2}, ("police", "nhs", "council"), True),
        ({"version": 2}, ("police", "nhs"), False),
        ({"version": 2, "id": "another"}, ("police", "nhs", "council"), False),
        ({"version": 1, "title": "Again"}, ("police", "nhs", "council"), False),
    ],
)
def test_only_its_own_parties_supersede_an_agreement(
    world: World, changes: dict[str, object], parties: tuple[str, ...], superseded: bool
) -> None:
    """A later version signed by all of its parties ends an agreement; nothing else does."""
    older = world.agreement.hash
    signing = [party for party in world.partners if party.name in parties]
    data = agreement_data(signing) | {"supersedes": older} | changes
    world.agreement = Agreement.model_validate(data)
    world.write(
        signing[0], EventType.AGREEMENT_PROPOSED, AgreementProposed(agreement=world.agreement)
    )
    for party in signing:
        assert not world.state.agreements.standing(older).superseded
        world.sign_agreement(party)
    assert world.state.agreements.standing(older).superseded is superseded


def test_a_mirror_takes_the_genesis_of_its_own_ledger_only(world: World) -> None:
    """A log that calls itself otherwise than pinned has no first event."""
    pinned = LedgerState("ledger.example.org/county").replay(world.events)
    assert pinned.rejected == []
    other = LedgerState("ledger.example.org/other")
    with pytest.raises(NotAdmissible, match="another name"):
        other.check(world.events[0])


def test_a_party_says_what_it_has_destroyed_itself(world: World) -> None:
    """Neither for another party nor about an agreement that it is no party of."""
    counts = {"agreement": world.agreement.hash, "rows": 3, "synthetic_rows": 0, "files": 1}
    by_council = RetentionPurged(party="council", **counts)
    world.write(world.council, EventType.RETENTION_PURGED, by_council)
    for author, party in ((world.partners[0], "council"), (world.hub, "hub")):
        with pytest.raises(NotAdmissible, match="destroyed itself"):
            world.write(author, EventType.RETENTION_PURGED, RetentionPurged(party=party, **counts))


def accept(world: World, party: Party, agreement: str) -> None:
    """A party says that it has accepted the council's submission."""
    outcome = SubmissionOutcome(
        submission="2" * 32, manifest=sha256(f"{party.name} {agreement}".encode()),
        agreement=agreement, party="council", source="council_records", records=3, reason=None,
    )  # fmt: skip
    world.write(party, EventType.SUBMISSION_ACCEPTED, outcome)


def purge(world: World, party: Party, **counts: int) -> None:
    """A party says what it has destroyed under the world's agreement."""
    told = {"rows": 0, "synthetic_rows": 0, "files": 0} | counts
    payload = RetentionPurged(agreement=world.agreement.hash, party=party.name, **told)
    world.write(party, EventType.RETENTION_PURGED, payload)


def test_a_hub_of_another_agreement_has_destroyed_nothing_of_this_one(world: World) -> None:
    """An acceptance counts under the agreement that it names."""
    other = agreement_data(world.partners) | {"id": "another-agreement"}
    proposed = AgreementProposed(agreement=Agreement.model_validate(other))
    world.write(world.council, EventType.AGREEMENT_PROPOSED, proposed)
    accept(world, world.operator, proposed.agreement.hash)
    accept(world, world.hub, world.agreement.hash)
    with pytest.raises(NotAdmissible, match="destroyed itself"):
        purge(world, world.operator, runs=1)
    purge(world, world.hub, rows=3, files=1, runs=1, rulings=2, releases=1, reports=1)


def test_where_the_hub_is_named_nobody_elses_acceptance_counts(world: World) -> None:
    """Whoever owns no source can say that it has accepted something: an agreement can end that."""
    data = agreement_data([*world.partners, world.hub])
    data["sources"] = [each for each in data["sources"] if each["party"] != "hub"]
    data["parties"][-1]["role"] = "processor"
    world.agreement = Agreement.model_validate(
        data | {"id": "named-hub", "recipients": ["council"]}
    )
    proposed = AgreementProposed(agreement=world.agreement)
    world.write(world.council, EventType.AGREEMENT_PROPOSED, proposed)
    with pytest.raises(NotAdmissible, match="names its processors"):
        accept(world, world.operator, world.agreement.hash)
    accept(world, world.hub, world.agreement.hash)
    purge(world, world.hub, files=1)
    with pytest.raises(NotAdmissible, match="destroyed itself"):
        purge(world, world.operator, files=1)


def test_a_partner_destroys_no_runs_and_a_hub_no_synthetic_rows(world: World) -> None:
    """Each of what one in its place can have held."""
    accept(world, world.hub, world.agreement.hash)
    for party, kind in (
        (world.council, "runs"), (world.council, "rulings"), (world.council, "reports"),
        (world.council, "tables"),
        (world.hub, "synthetic_rows"),
    ):  # fmt: skip
        with pytest.raises(NotAdmissible, match="are a"):
            purge(world, party, **{kind: 1})
    purge(world, world.council, rows=1, synthetic_rows=1, files=1, releases=1)


def test_nobody_refuses_in_anothers_name(world: World) -> None:
    """Or evidence would list refusals that nobody made."""
    refused = Refused(party="police", action="prepare", reason="agreement.item", about=None)
    for author in (world.council, world.hub):
        with pytest.raises(NotAdmissible, match="itself"):
            world.write(author, EventType.REFUSED, refused)
    world.write(world.partners[0], EventType.REFUSED, refused)


def test_a_run_is_told_by_a_hub_of_its_agreement(world: World) -> None:
    """Neither by a partner nor by a party that has accepted nothing."""
    hash_ = sha256(b"results")
    run = LinkRunFinished(
        run="5" * 32, agreement=world.agreement.hash, submissions=(hash_,), persons=80,
        families=30, flagged=4, results_sha256=hash_,
    )  # fmt: skip
    accept(world, world.hub, world.agreement.hash)
    for author in (world.council, world.operator):
        with pytest.raises(NotAdmissible, match="hub"):
            world.write(author, EventType.LINK_RUN_FINISHED, run)
    world.write(world.hub, EventType.LINK_RUN_FINISHED, run)


def test_a_refusal_needs_a_known_author_and_its_form(world: World) -> None:
    """Anybody known may say that something was refused, in the words of the format."""
    refused = Refused(party="hub", action="submit", reason="submission.quota", about=None)
    size = world.state.size
    event = world.write(world.hub, EventType.REFUSED, refused)
    assert world.state.size == size + 1
    with pytest.raises(FormatError):
        LedgerState().replay(world.events[:size]).check(replace(event, salt=None, payload=None))


def test_every_rule_looks_at_the_same_parties_and_agreements(world: World) -> None:
    """Replay builds registries that know of one another."""
    state = world.state
    for registry in (
        state.agreements, state.consents, state.releases, state.submissions, state.refinement,
        state.sentinels, state.rulings,
    ):  # fmt: skip
        assert registry._identities is state.identities
        assert getattr(registry, "_agreements", state.agreements) is state.agreements
