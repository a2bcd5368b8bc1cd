"""Sealed items open for the person who asked, for that request, from the partner named."""

from typing import Any

import pytest

from governance.canonical import b64, sha256, write_time
from governance.errors import FormatError, ReasonedError, SignatureError
from governance.identity.envelope import Envelope, sign
from governance.identity.keys import UnsealError, seal
from governance.identity.models import Role
from governance.release.models import SEALED, CheckpointRef, ReleasedRecord, SealedItems
from governance.release.seal import _info, open_records, seal_records
from tests.governance.world import NOON, Staff, World

REQUEST, ORDER = sha256(b"request"), sha256(b"order")
CHECKPOINT = CheckpointRef(size=7, root=b64(bytes(32)))
LEAD = Staff("council", Role.IG_LEAD, "b" * 32).keys
RECORD = ReleasedRecord(person="p-" + "1" * 32, source="records", items={"first_name": "Ann"})


@pytest.fixture(scope="module")
def world() -> World:
    """Keys of partners and staff, as the ledger knows them."""
    return World()


def sealed_for(world: World, **changes: Any) -> SealedItems:
    """The council's answer to a request of the manager's."""
    about: dict[str, Any] = {
        "request": REQUEST,
        "order": ORDER,
        "party": "council",
        "recipient": world.manager.keys,
        "checkpoint": CHECKPOINT,
        "created": write_time(NOON),
    }
    return seal_records([RECORD], **(about | changes))


def signed(world: World, sealed: SealedItems) -> Envelope:
    """Signed by the council."""
    return sign(SEALED, sealed, world.council.signing, world.council.keys.thumbprint)


def opened(world: World, envelope: Envelope, **changes: Any) -> list[ReleasedRecord]:
    """What the manager reads."""
    how: dict[str, Any] = {
        "key": world.manager.sealing,
        "recipient": world.manager.keys,
        "request": REQUEST,
        "holders": {"council", "police"},
        "party_key": world.state.identities.party_key,
    }
    return open_records(envelope, **(how | changes))[1]


def test_the_manager_reads_what_was_sealed(world: World) -> None:
    """The recipient of the request opens the partner's answer to it."""
    sealed = sealed_for(world)
    assert opened(world, signed(world, sealed)) == [RECORD]
    assert (sealed.request, sealed.order, sealed.party) == (REQUEST, ORDER, "council")


def test_what_a_ciphertext_is_bound_to_has_pinned_bytes() -> None:
    """Another implementation binds to the same bytes: a format that never changes."""
    assert _info("r", "p", "k", CHECKPOINT) == (
        b'{"format":"release-sealed/v1","party":"p","recipient":"k","request":"r",'
        b'"root":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","size":7}'
    )


@pytest.mark.invariant(8, "another recipient, request or partner key", double="swaps keys")
@pytest.mark.parametrize(
    "changes",
    [
        {"request": ORDER},
        {"party": "police"},
        {"checkpoint": CheckpointRef(size=8, root=CHECKPOINT.root)},
        {"checkpoint": CheckpointRef(size=7, root=b64(b"\1" * 32))},
    ],
)
def test_a_ciphertext_opens_under_its_own_words_only(world: World, changes: dict[str, Any]) -> None:
    """A partner or hub that puts other words around a ciphertext gets nothing opened."""
    moved = sealed_for(world).model_copy(update=changes)
    party = moved.party
    author = world.council if party == "council" else world.partners[0]
    envelope = sign(SEALED, moved, author.signing, author.keys.thumbprint)
    with pytest.raises(UnsealError):
        opened(world, envelope, request=moved.request)


@pytest.mark.invariant(8, "another recipient, request or partner key", double="swaps keys")
@pytest.mark.parametrize(
    "changes",
    [{"request": ORDER}, {"recipient": LEAD}, {"recipient": LEAD, "request": ORDER}],
)
def test_an_answer_to_another_request_or_person_is_refused(
    world: World, changes: dict[str, Any]
) -> None:
    """Either is enough, before anything is opened."""
    with pytest.raises(SignatureError, match="another request or another key"):
        opened(world, signed(world, sealed_for(world)), **changes)


@pytest.mark.invariant(8, "another recipient, request or partner key", double="swaps keys")
def test_an_answer_is_signed_by_the_partner_that_it_names_alone(world: World) -> None:
    """Another partner's signature, or one beside the partner's own, makes it nobody's answer."""
    sealed = sealed_for(world)
    police = world.partners[0]
    by_police = sign(SEALED, sealed, police.signing, police.keys.thumbprint)
    by_council = signed(world, sealed)
    both = by_council.model_copy(
        update={"signatures": (*by_council.signatures, *by_police.signatures)}
    )
    by_manager = sign(SEALED, sealed, world.manager.signing, world.manager.keys.thumbprint)
    for envelope in (by_police, both, by_manager):
        with pytest.raises(SignatureError):
            opened(world, envelope)


@pytest.mark.invariant(10, "an answer of a partner that holds no record", double="lies")
def test_an_answer_of_a_partner_that_was_not_asked_is_refused(world: World) -> None:
    """Signed and sealed as it should be: the family's members say whom the request went to."""
    envelope = signed(world, sealed_for(world))
    with pytest.raises(SignatureError, match="holds no record of this family"):
        opened(world, envelope, holders=world.members(
            ("1", True, [(world.partners[0], "1" * 32)])
        ).holders)  # fmt: skip


@pytest.mark.invariant(8, "a hub that swaps keys", double="swaps keys")
def test_another_key_opens_nothing(world: World) -> None:
    """Neither a colleague's key nor one that the hub made up."""
    with pytest.raises(UnsealError):
        opened(world, signed(world, sealed_for(world)), key=world.lead.sealing)


@pytest.mark.parametrize("plaintext", [b"{}", b"[1]", b"not json", b'[{"person":"p-1"}]'])
def test_what_is_no_list_of_records_is_refused(world: World, plaintext: bytes) -> None:
    """A partner that seals something else is told apart from one that seals nothing."""
    info = _info(REQUEST, "council", world.manager.keys.thumbprint, CHECKPOINT)
    text = b64(seal(plaintext, world.manager.sealing.public, info))
    sealed = sealed_for(world).model_copy(update={"ciphertext": text})
    with pytest.raises(FormatError) as caught:
        opened(world, signed(world, sealed))
    assert isinstance(caught.value, ReasonedError)
