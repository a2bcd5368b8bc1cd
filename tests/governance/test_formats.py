"""Signed formats never change: the canonical bytes of a fixed document have a pinned hash."""

import hashlib

import pytest
from pydantic import BaseModel

from governance.agreements.models import AGREEMENT, Agreement
from governance.canonical import b64, canonical_bytes, hash_of, sha256
from governance.consent.models import ConsentKind, ConsentRecord, place_of
from governance.exchange.refinement import RefinementRound
from governance.exchange.secret import LINKAGE_SECRET, SealedSecret, seal_info
from governance.exchange.submission import Manifest
from governance.identity.envelope import challenge_of, pre_auth_encoding, sign_bytes
from governance.identity.keys import SealingKey, SigningKey
from governance.identity.models import (
    PARTY_KEYS,
    PERSON_ENROLMENT,
    PERSON_KEYS,
    PersonEnrolment,
    Role,
)
from governance.identity.passkeys import Assertion, Passkey
from governance.ledger.events import EventType, Leaf, LeafBody, signed_type
from governance.release.models import (
    APPROVAL,
    REQUEST,
    SEALED,
    Approval,
    CheckpointRef,
    Members,
    Request,
    SealedItems,
)
from governance.release.seal import _info
from governance.rights.seal import _info as rights_info
from tests.governance.world import Party, Staff, agreement_data

H, ID, T = "sha256:" + "a" * 64, "b" * 32, "2026-11-22T12:00:00Z"
POLICE = Party("police", SigningKey(b"\1" * 32), SigningKey(b"\2" * 32), SealingKey(b"\3" * 32))
COUNCIL = Party("council", SigningKey(b"\4" * 32), SigningKey(b"\5" * 32), SealingKey(b"\6" * 32))
LEAD = Staff("council", Role.IG_LEAD, ID, SigningKey(b"\7" * 32), SealingKey(b"\x08" * 32))
PASSKEY = Passkey(
    credential="AAAA",
    public_key=b64(b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20" + LEAD.signing.public),
    relying_party="example.org",
    origin="https://console.example.org",
    backup_eligible=False,
)

DOCUMENTS: dict[str, BaseModel] = {
    "party-keys": POLICE.keys,
    "person-keys": LEAD.keys,
    "passkey-keys": LEAD.keys.model_copy(update={"passkey": PASSKEY}),
    "assertion": Assertion(
        key=H, client_data="AAAA", authenticator_data=b64(bytes(37)), value="AAAA"
    ),
    "person-enrolment": PersonEnrolment(keys=H, role=Role.IG_LEAD, party="council", created=T),
    "agreement": Agreement.model_validate(agreement_data([POLICE, COUNCIL])),
    "leaf": Leaf.model_validate(
        {
            "type": "consent.withdrawn", "id": ID, "time": T, "author": H, "refs": [ID],
            "payload_sha256": H, "signature": "AAAA",
        }
    ),
    "consent-record": ConsentRecord.model_validate(
        {
            "agreement": H, "party": "council", "source": "housing", "subject": ID,
            "kind": "approach", "purpose": "offer-help", "items": ["first_name"],
            "recipients": ["council"], "state": "given", "capacity": "self",
            "parental_basis": None, "method": "in_person", "notice": H,
            "notice_language": "en-GB", "lawful_basis": "public_task",
            "special_category_condition": "safeguarding", "jurisdiction": "GB-EAW",
            "withdrawal_method": "any", "captured": T, "expires": "2027-11-22T12:00:00Z",
        }
    ),
    "manifest": Manifest.model_validate(
        {
            "id": ID, "party": "police", "source": "crimes", "agreement": H, "epoch": 1,
            "purpose": "find-families", "schema_hash": H, "key_check_value": H,
            "test_vectors": H,
            "counts": {"rows": 3, "submitted": 1, "rejected": 1, "opted_out": 1},
            "extracted_on": "2026-11-22", "created": T, "content_sha256": H, "content_bytes": 9,
        }
    ),
    "linkage-secret": SealedSecret(
        agreement=H, epoch=1, sender="police", recipient="council", recipient_keys=H,
        key_check_value=H, created=T, ciphertext="AAAA",
    ),
    "family-members": Members.model_validate(
        {
            "family": "f-" + ID, "agreement": H,
            "members": [
                {
                    "person": "p-" + ID, "adult": True,
                    "records": [{"party": "council", "source": "housing", "handle": ID}],
                }
            ],
        }
    ),
    "release-request": Request.model_validate(
        {
            "id": ID, "agreement": H, "purpose": "offer-help", "family": "f-" + ID, "members": H,
            "without": [], "items": ["first_name"], "recipient": H, "created": T,
            "expires": "2026-11-22T18:00:00Z",
        }
    ),
    "release-approval": Approval(
        request=H, decision="approve", reason="proportionate",
        checkpoint=CheckpointRef(size=1, root="AAAA"), created=T,
    ),
    "release-sealed": SealedItems(
        request=H, order=H, party="council", recipient=H,
        checkpoint=CheckpointRef(size=1, root="AAAA"), created=T, ciphertext="AAAA",
    ),
    "refinement-round": RefinementRound(
        run=ID, agreement=H, epoch=1, kind="decide", submissions=(H,), parameters={"threshold": 1},
        answer_bytes=96, parties=({"party": "police", "questions": 1, "batches": (H,)},),
        opened=T, closes=T,
    ),
}  # fmt: skip

PINNED = {
    "party-keys": "sha256:8466b03daa8cf9d2927c83de890f415d4c9136ce9766b9c0f77c06dcbe345e40",
    "person-keys": "sha256:3bf647b44f10aa565853c5bf68cff81fae43aca726f1ea48e4ba99371b4baf7a",
    "passkey-keys": "sha256:e542e17fe7c4b03f84584fd966a48d740e7877e86ddecf51136079bf25292c18",
    "assertion": "sha256:485b5c553626ef4289c477f9ab01eba699b0aabaec973f558c275e8ea141452f",
    "person-enrolment": "sha256:1895083896c99b19e0ae33a498836292e73d18d06a3f2314ab31c33f6198a6aa",
    "agreement": "sha256:94a70b50ec07e827a6d1e8bb4efa44c4dd2b06b27e0eb31619aafce1669982d3",
    "leaf": "sha256:aed673f2986e3e6c5b3716938fb6e0ab1febd4ad63e99525ace7decab7926912",
    "consent-record": "sha256:89b8e452184c30516c76628eb885a93682221069ef825716819884e255ebfda5",
    "manifest": "sha256:7d5cfe2a2c1a697af5bee495c58aacb1c4ff0bf08d39324da7f53b6d672cecdf",
    "linkage-secret": "sha256:e1bbd1920695b1985a93ed0a1024ea54fd5037f708c795009c4b25da7b5ee994",
    "family-members": "sha256:67b40f95fbce1a390f95af3345b4ca2fa98bd2eecf95bc0e3bd9f574b4ffbccd",
    "release-request": "sha256:f916ce7923c86e0363adcbe872c5c04f439734ae7b46732e7d2ef21e52d7d49b",
    "release-approval": "sha256:ab7217e2d4f29afe2ad5a6319e0457685fbe63925db7a46a2bebc088d52c14ad",
    "release-sealed": "sha256:73c39e603dfb0f5c992781762329304483b76cadcf1c182ba8b46e9d478c8771",
    "refinement-round": "sha256:680f0cd749ad315b4656b94fd783bcbcd73d6d7ff241725d4cf7d55e739fb540",
}

PINNED_SIGNATURE = "sha256:925fd40d9cf566c852f2ee09bd2da87577bc1e93887c99fa85cefc4678b48017"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_signed_bytes_never_change(name: str) -> None:
    """Whatever was signed years ago still has the bytes that were signed."""
    assert hash_of(DOCUMENTS[name]) == PINNED[name]


def test_names_of_signed_types_never_change() -> None:
    """A type's name is part of what is signed."""
    assert [AGREEMENT, PARTY_KEYS, PERSON_KEYS, PERSON_ENROLMENT] == [
        "agreement/v1",
        "party-keys/v1",
        "person-keys/v1",
        "person-enrolment/v1",
    ]
    assert [REQUEST, APPROVAL, SEALED, LINKAGE_SECRET] == [
        "release-request/v1",
        "release-approval/v1",
        "release-sealed/v1",
        "linkage-secret/v1",
    ]
    assert signed_type("ledger.example.org/county") == (
        "ledger-leaf/v1;origin=ledger.example.org/county"
    )


def test_dsse_pre_auth_encoding_is_the_specifications() -> None:
    """The example of the DSSE specification, version 1.0."""
    assert pre_auth_encoding("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pre_auth_encoding("caf\u00e9", b"") == b"DSSEv1 5 caf\xc3\xa9 0 "


def test_what_a_passkey_is_asked_to_sign_never_changes() -> None:
    """The challenge of a document is the SHA-256 of its pre-authentication encoding."""
    assert (
        challenge_of(REQUEST, b"{}")
        == hashlib.sha256(b"DSSEv1 18 release-request/v1 2 {}").digest()
    )


def test_a_leafs_signature_never_changes() -> None:
    """The same event by the same key for the same ledger has the signature that it always had."""
    body = LeafBody(
        type=EventType.CONSENT_WITHDRAWN, id=ID, time=T, author=H, refs=(ID,), payload_sha256=H
    )
    kind = signed_type("ledger.example.org/county")
    signature = sign_bytes(kind, canonical_bytes(body), POLICE.signing, H)
    assert sha256(signature.value.encode()) == PINNED_SIGNATURE


def test_what_stands_for_erased_records_never_changes() -> None:
    """Else a mirror that has their payloads would take a true place for a false one."""
    assert place_of("council", ID, ConsentKind.APPROACH) == sha256(
        b"hearthlink/consent-place/v1\0council\0" + ID.encode() + b"\0approach"
    )


def test_what_a_ciphertext_is_bound_to_never_changes() -> None:
    """The HPKE info of a sealed secret and of sealed items has pinned bytes."""
    assert seal_info(H, 1, "police", H) == (
        b'{"agreement":"%s","epoch":1,"format":"linkage-secret/v1","recipient_keys":"%s",'
        b'"sender":"police"}' % (H.encode(), H.encode())
    )
    assert _info(H, "council", H, CheckpointRef(size=1, root="AAAA")) == (
        b'{"format":"release-sealed/v1","party":"council","recipient":"%s","request":"%s",'
        b'"root":"AAAA","size":1}' % (H.encode(), H.encode())
    )
    assert rights_info(ID, "council") == (
        b'{"format":"rights-records/v1","party":"council","request":"%s"}' % ID.encode()
    )
