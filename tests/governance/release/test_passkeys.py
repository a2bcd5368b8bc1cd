"""Enrolling a passkey, asking and approving with it, and a partner's verification of both."""

from dataclasses import replace
from typing import Any

import pytest

from governance.agreements.models import Agreement
from governance.canonical import b64, canonical_bytes
from governance.errors import SignatureError
from governance.identity.envelope import Envelope, challenge_of, open_envelope, sign_bytes
from governance.identity.models import (
    PERSON_KEYS,
    Role,
    publish_party_keys,
    publish_person_keys,
    read_party_keys,
    read_person_keys,
)
from governance.identity.passkeys import CounterNotRisen
from governance.identity.registry import Person
from governance.ledger.admission import NotAdmissible
from governance.ledger.events import EventType
from governance.ledger.payloads import Decided, PersonRevoked, Requested
from governance.ledger.state import LedgerState
from governance.release.errors import (
    NotApproved,
    NotAServiceManager,
    RequestNotLogged,
    SamePerson,
    SignatureKindNotAccepted,
)
from governance.release.models import APPROVAL, REQUEST, Request
from governance.release.registry import read_approval
from tests.governance.passkey_world import MOTHER, PasskeyWorld
from tests.governance.world import Staff, World, agreement_data
from tests.soft_authenticator import PRESENT, VERIFIED, SoftAuthenticator


@pytest.fixture
def world() -> PasskeyWorld:
    """Passkeys only."""
    return PasskeyWorld()


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_a_partner_releases_what_passkeys_signed(algorithm: str) -> None:
    """Enrolled, requested, approved and verified, by replay of the ledger and without network."""
    world = PasskeyWorld(algorithm=algorithm)
    order = world.logged()
    replayed = LedgerState().replay(world.events)
    assert not replayed.rejected
    verified = world.verify(order, replayed)
    assert {record.handle for record in verified.records} == {MOTHER}
    assert verified.recipient == world.manager.keys


@pytest.mark.invariant(9, "a passkey's assertion over another request")
def test_an_assertion_over_another_request_is_refused(world: PasskeyWorld) -> None:
    """A hub cannot move an assertion to a request of its own, nor replay it for a second one."""
    order = world.logged()
    other = world.request(world.family(), items=["first_name", "surname", "address"])
    moved = other.model_copy(update={"signatures": order.request.signatures})
    with pytest.raises(SignatureError, match="another document"):
        world.verify(world.order(request=moved, approval=order.approval))
    with pytest.raises(SignatureError, match="another document"):
        world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=moved))


@pytest.mark.invariant(9, "a passkey's request or approval changed by one byte")
@pytest.mark.parametrize("part", ["request", "approval"])
def test_one_changed_byte_is_refused(world: PasskeyWorld, part: str) -> None:
    """Whatever byte of a signed document is changed, the assertion is over another."""
    order = world.logged()
    envelope: Envelope = getattr(order, part)
    payload = envelope.payload_bytes
    for at in range(0, len(payload), 7):
        changed = payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]
        forged = envelope.model_copy(update={"payload": b64(changed)})
        with pytest.raises(SignatureError, match="another document"):
            world.verify(order.model_copy(update={part: forged}))


@pytest.mark.invariant(9, "an assertion over a document of another type")
def test_a_document_of_another_type_is_not_what_was_signed(world: PasskeyWorld) -> None:
    """The challenge holds the payload's type: an approval's signature is no request's."""
    request = world.request(world.family())
    crossed = passkey_of(world.manager).sign(
        APPROVAL, request.payload_bytes, world.manager.keys.thumbprint
    )
    forged = request.model_copy(update={"signatures": crossed.signatures})
    with pytest.raises(SignatureError, match="another document"):
        world.verify(world.order(request=forged))


@pytest.mark.invariant(7, "a key file where only passkeys are accepted")
@pytest.mark.parametrize("who", ["manager", "lead"])
def test_a_key_file_is_refused_where_only_passkeys_are_accepted(who: str) -> None:
    """A hub cannot let somebody without a passkey sign, though the ledger took it all."""
    world = PasskeyWorld(without=who)
    with pytest.raises(SignatureKindNotAccepted):
        world.verify(world.logged())


@pytest.mark.parametrize("who", ["manager", "lead"])
def test_a_passkey_is_refused_where_only_key_files_are_accepted(who: str) -> None:
    """An agreement is kept to in both directions."""
    world = PasskeyWorld(("key_file",), without=who)
    with pytest.raises(SignatureKindNotAccepted):
        world.verify(world.logged())


@pytest.mark.parametrize("who", ["manager", "lead", "nobody"])
def test_both_kinds_are_accepted_where_both_are_agreed(who: str) -> None:
    """One signs with a passkey and the other with a key file."""
    world = PasskeyWorld(("key_file", "passkey"), without=who)
    world.verify(world.logged())


@pytest.mark.invariant(7, "a downgrade from a passkey to the key file beside it")
@pytest.mark.parametrize("kinds", [("passkey",), ("passkey", "key_file"), ("key_file",)])
def test_who_has_a_passkey_signs_with_it_alone(kinds: tuple[str, ...]) -> None:
    """A thief of the key file of such keys gets no further, whatever the agreement accepts."""
    world = PasskeyWorld(kinds)
    request = world.request(world.family())
    approval = world.approval(request)
    stolen = Requested(request=by_file(world.manager, request))
    with pytest.raises(SignatureError, match="hold a passkey"):
        world.write(world.hub, EventType.RELEASE_REQUESTED, stolen)
    for order in (
        world.order(by_file(world.manager, request), approval),
        world.order(request, by_file(world.lead, approval)),
        world.order(both(world.manager, request), approval),
        world.order(request, both(world.lead, approval)),
    ):
        with pytest.raises(SignatureError, match="hold a passkey"):
            world.verify(order)
    with pytest.raises(SignatureError, match="hold a passkey"):
        world.enrol(replacement(), world.lead.signing, world.lead.keys.thumbprint)


def by_file(staff: Staff, envelope: Envelope) -> Envelope:
    """The same document, signed with a person's key file."""
    signature = sign_bytes(
        envelope.payload_type, envelope.payload_bytes, staff.signing, staff.keys.thumbprint
    )
    return envelope.model_copy(update={"signatures": (signature,)})


def both(staff: Staff, envelope: Envelope) -> Envelope:
    """An envelope signed with passkey and key file."""
    signatures = (*envelope.signatures, *by_file(staff, envelope).signatures)
    return envelope.model_copy(update={"signatures": signatures})


def test_an_agreement_that_says_nothing_takes_passkeys_only() -> None:
    """The safe kind is the default, and an empty list is no agreement."""
    data = agreement_data(World().partners)
    del data["staff_signatures"]
    assert Agreement.model_validate(data).staff_signatures == ("passkey",)
    with pytest.raises(ValueError, match="staff_signatures"):
        Agreement.model_validate(data | {"staff_signatures": []})


@pytest.mark.invariant(7, "a document signed by two people")
def test_a_document_is_signed_by_one(world: PasskeyWorld) -> None:
    """A request or approval bears exactly one signature, however good the second is."""
    other = Staff("council", Role.SERVICE_MANAGER, "e" * 32, authenticator=SoftAuthenticator())
    world.vouch(other)
    lead = replacement()
    world.vouch(lead)
    request = world.request(world.family())
    approval = world.approval(request)
    joint = (*request.signatures, *world.request(world.family(), other).signatures)
    with pytest.raises(NotAServiceManager):
        world.verify(world.order(request.model_copy(update={"signatures": joint}), approval))
    joint = (*approval.signatures, *world.approval(request, lead).signatures)
    with pytest.raises(NotApproved):
        world.verify(world.order(request, approval.model_copy(update={"signatures": joint})))
    twice = request.model_copy(update={"signatures": request.signatures * 2})
    with pytest.raises(SignatureError, match="twice"):
        world.verify(world.order(twice, approval))


@pytest.mark.invariant(7, "another person's passkey")
def test_another_persons_passkey_is_refused(world: PasskeyWorld) -> None:
    """The lead's passkey signs nothing in the manager's name, nor a stranger's in the lead's."""
    request = world.request(world.family())
    forged = passkey_of(world.lead).sign(
        REQUEST, request.payload_bytes, world.manager.keys.thumbprint
    )
    with pytest.raises(SignatureError, match="does not verify"):
        world.verify(world.order(forged))
    approval = world.approval(request)
    stranger = SoftAuthenticator("EdDSA").sign(
        APPROVAL, approval.payload_bytes, world.lead.keys.thumbprint
    )
    with pytest.raises(SignatureError, match="does not verify"):
        world.verify(world.order(request, stranger))


def passkey_of(staff: Staff) -> SoftAuthenticator:
    """A person's authenticator."""
    assert staff.authenticator is not None
    return staff.authenticator


@pytest.mark.invariant(7, "a passkey at another site, or without its owner verified")
@pytest.mark.parametrize(
    "changes",
    [
        {"site": "evil.example.org"},
        {"origin": "https://evil.example.org"},
        {"flags": PRESENT},
        {"flags": VERIFIED},
    ],
)
def test_where_and_by_whom_it_was_signed_is_verified(
    world: PasskeyWorld, changes: dict[str, Any]
) -> None:
    """A page that is not the enrolled one, or a stolen key that nobody unlocked, signs nothing."""
    request = world.request(world.family())
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
    approval = world.approval(request).payload_bytes
    elsewhere = replace(passkey_of(world.lead), **changes)
    forged = elsewhere.sign(APPROVAL, approval, world.lead.keys.thumbprint)
    with pytest.raises(SignatureError):
        world.write(world.hub, EventType.RELEASE_APPROVED, Decided(approval=forged))
    with pytest.raises(SignatureError):
        world.verify(world.order(request, forged))


@pytest.mark.invariant(7, "a revoked passkey")
def test_a_revoked_passkey_signs_nothing(world: PasskeyWorld) -> None:
    """Revocation also undoes what waits: the order is refused from the next replay on."""
    order = world.logged()
    world.verify(order)
    lost = PersonRevoked(keys=world.lead.keys.thumbprint, reason="lost_key")
    world.write(world.council, EventType.PERSON_REVOKED, lost)
    with pytest.raises(SignatureError, match="enrolled"):
        world.verify(order)
    again = Staff("council", Role.IG_LEAD, "c" * 32, authenticator=world.lead.authenticator)
    with pytest.raises(NotAdmissible, match="revoked"):
        world.enrol(again, world.council.signing, world.council.keys.thumbprint)


def replacement() -> Staff:
    """A new lead with a passkey, not enrolled yet."""
    return Staff("council", Role.IG_LEAD, "c" * 32, authenticator=SoftAuthenticator())


@pytest.mark.invariant(7, "a passkey that no IG lead countersigned")
@pytest.mark.parametrize("signer", ["nobody", "itself", "manager", "party", "another party"])
def test_a_passkey_needs_the_leads_countersignature(world: PasskeyWorld, signer: str) -> None:
    """Neither the person, nor a manager, nor a party's key enrols a second lead."""
    lead = replacement()
    key, thumbprint = {
        "nobody": (lead.signing, "sha256:" + "0" * 64),
        "itself": (lead.signing, lead.keys.thumbprint),
        "manager": (world.manager.signing, world.manager.keys.thumbprint),
        "party": (world.council.signing, world.council.keys.thumbprint),
        "another party": (world.partners[0].signing, world.partners[0].keys.thumbprint),
    }[signer]
    with pytest.raises((SignatureError, NotAdmissible)):
        world.enrol(lead, key, thumbprint)
    request = world.request(world.family())
    approval = world.approval(request, lead)
    with pytest.raises(SignatureError, match="enrolled"):
        world.write(world.hub, EventType.RELEASE_APPROVED, Decided(approval=approval))
    with pytest.raises(SignatureError, match="enrolled"):
        world.verify(world.order(request, approval))


def test_a_lead_countersigns_with_a_passkey(world: PasskeyWorld) -> None:
    """Whoever has a passkey needs no key file to vouch for a colleague."""
    lead = replacement()
    world.vouch(lead)
    request = world.request(world.family())
    approval = world.approval(request, lead)
    world.log_release(request, approval)
    world.verify(world.order(request, approval))


def test_keys_are_published_by_each_of_them() -> None:
    """Nobody enrols a passkey that does not sign, or that is not in the document."""
    lead = replacement()
    published = lead.published()
    assert read_person_keys(published) == lead.keys
    first, second = published.signatures
    other = SoftAuthenticator().assertion(
        lead.keys.thumbprint, challenge_of(PERSON_KEYS, published.payload_bytes)
    )
    bare = Staff("council", Role.IG_LEAD, "c" * 32)
    stray = SoftAuthenticator().assertion(
        bare.keys.thumbprint, challenge_of(PERSON_KEYS, canonical_bytes(bare.keys))
    )
    for envelope in (
        published.model_copy(update={"signatures": (first,)}),
        published.model_copy(update={"signatures": (second,)}),
        published.model_copy(update={"signatures": (first, other)}),
        published.model_copy(update={"signatures": (first, second, second)}),
        publish_person_keys(bare.keys, bare.signing, stray),
    ):
        with pytest.raises(SignatureError):
            read_person_keys(envelope)


@pytest.mark.invariant(7, "one person with two passkeys")
def test_one_person_with_two_passkeys_does_not_approve_alone(world: PasskeyWorld) -> None:
    """Two credentials of one person are one person, in the ledger and at the agent."""
    double = Staff("council", Role.IG_LEAD, world.manager.id, authenticator=SoftAuthenticator())
    world.vouch(double)
    request = world.request(world.family())
    approval = world.approval(request, double)
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
    with pytest.raises(SamePerson):
        world.write(world.hub, EventType.RELEASE_APPROVED, Decided(approval=approval))
    with pytest.raises(SamePerson):
        world.verify(world.order(request, approval))


@pytest.mark.invariant(7, "one passkey, key file or sealing key under two names")
@pytest.mark.parametrize("shared", ["authenticator", "signing", "sealing"])
def test_one_key_is_one_person(world: PasskeyWorld, shared: str) -> None:
    """A key is enrolled for one person; if it were not, it would still not approve itself."""
    double = Staff("council", Role.IG_LEAD, "c" * 32, authenticator=SoftAuthenticator())
    setattr(double, shared, getattr(world.manager, shared))
    with pytest.raises(NotAdmissible, match="another person's"):
        world.vouch(double)
    request = world.request(world.family())
    approval = world.approval(request, double)
    people = world.state.identities.people
    people[double.keys.thumbprint] = Person(double.keys)
    with pytest.raises(SamePerson):
        read_approval(approval, world.state.identities, world.manager.keys)


@pytest.mark.invariant(9, "an authenticator's copy, told by its counter")
def test_a_counter_that_does_not_rise_is_not_admitted() -> None:
    """A copy that lags behind is refused by the ledger, and so by every agent."""
    world = PasskeyWorld(counts=True, counter=7)
    copy = replace(passkey_of(world.manager))
    first = world.logged()
    world.verify(first)
    second = world.request(world.family(), purpose="offer-help", without=[], id="d" * 32)
    lagging = copy.sign(REQUEST, second.payload_bytes, world.manager.keys.thumbprint)
    event = world.hub.author().write(EventType.RELEASE_REQUESTED, Requested(request=lagging))
    with pytest.raises(CounterNotRisen):
        world.append(event)
    world.state.apply(event)
    world.events.append(event)
    assert [rejected.reason for rejected in world.state.rejected] == ["signature.counter"]
    approval = world.approval(lagging)
    with pytest.raises(NotAdmissible):
        world.write(world.hub, EventType.RELEASE_APPROVED, Decided(approval=approval))
    with pytest.raises(RequestNotLogged):
        world.verify(world.order(lagging, approval))
    world.log_release(second, world.approval(second))


def test_a_counter_that_says_nothing_is_no_copy(world: PasskeyWorld) -> None:
    """Passkeys on several devices always say 0; one that begins to count must go on."""
    for letter in "ef":
        request = world.request(world.family(), id=letter * 32)
        world.log_release(request, world.approval(request))
    passkey_of(world.manager).counter = 3
    world.write(
        world.hub,
        EventType.RELEASE_REQUESTED,
        Requested(request=world.request(world.family(), id="7" * 32)),
    )
    passkey_of(world.manager).counter = 0
    fallen = Requested(request=world.request(world.family(), id="8" * 32))
    with pytest.raises(CounterNotRisen):
        world.write(world.hub, EventType.RELEASE_REQUESTED, fallen)


def test_parties_have_no_passkeys(world: PasskeyWorld) -> None:
    """What a party signs is signed by its key: an assertion in its name is refused."""
    request = world.request(world.family())
    forged = passkey_of(world.manager).sign(
        REQUEST, request.payload_bytes, world.council.keys.thumbprint
    )
    with pytest.raises(SignatureError, match="enrolled"):
        world.verify(world.order(forged, world.approval(request)))
    with pytest.raises(SignatureError, match="not signed by a passkey"):
        open_envelope(request, REQUEST, Request, world.state.identities.key)
    published = publish_party_keys(world.council.keys, world.council.signing)
    signatures = (*published.signatures, *forged.signatures)
    with pytest.raises(SignatureError, match="have none"):
        read_party_keys(published.model_copy(update={"signatures": signatures}))
