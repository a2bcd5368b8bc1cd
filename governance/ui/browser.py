"""What the three scripts of pages are given: to sign, to make keys, to open a release.

A page holds it as a data block of JSON (``templates/keys.html``), so scripts ask nobody and the
content security policy forbids all connections. Every text that they show is in it, from the
catalogue. The scripts are ``assets/scripts/keys.mjs``, built into ``static/keys.js``.

A signing page is given exact bytes and shows what they say in words made from them; documents that
they name by hash are handed over as bytes too, and are shown only if they have that hash.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from governance.canonical import b64, canonical_bytes
from governance.identity.ceremonies import creation_options
from governance.identity.models import PersonKeys, passkey_of
from governance.identity.passkeys import Passkey
from governance.identity.wrapped import WrappedKey
from governance.release.models import Members, SealedItems
from governance.ui.words import Words

Labels = Mapping[str, Mapping[str, str]]
"""What codes are called: ``items``, ``purposes``, ``reasons``, ``agreements``, ``parties``,
``sources``, ``roles`` and ``persons``, each from code to words. A code that is not there is shown
as it is, its underscores as blanks."""


def signing_data(
    words: Words,
    kind: str,
    payload: bytes,
    passkey: Passkey,
    *,
    named: Mapping[str, bytes] | None = None,
    labels: Labels | None = None,
) -> dict[str, Any]:
    """For a form that is sent with a signature in its field ``signature``.

    Args:
        words: the catalogue.
        kind: payload type of the document.
        payload: its exact bytes, which are shown and signed.
        passkey: of the person who signs.
        named: bytes of documents that it names by hash: ``members`` for a request; ``request`` and
            ``members`` for an approval; ``keys`` for an enrolment.
        labels: what codes are called.
    """
    return {
        "type": kind,
        "payload": b64(payload),
        "passkey": _credential(passkey),
        "words": _words(words, "keys.sign."),
        "labels": _plain(labels),
        **{name: b64(data) for name, data in (named or {}).items()},
    }


def enrolling_data(words: Words, relying_party: str, person: str) -> dict[str, Any]:
    """For a form that is sent with a new passkey (``registration``) and a :class:`WrappedKey`.

    ``options`` holds the challenge, which the console keeps for ``read_registration``.
    """
    return {
        "options": creation_options(relying_party, person),
        "words": _words(words, "keys.make."),
    }


def opening_data(
    words: Words,
    *,
    request: bytes,
    request_hash: str,
    members: Members,
    keys: PersonKeys,
    wrapped: WrappedKey,
    sealed: Sequence[tuple[SealedItems, bytes]],
    items: Sequence[str],
    labels: Labels,
    needs: Sequence[tuple[str, str]] | None = None,
) -> dict[str, Any]:
    """For the page that opens a release, and prints forms that it fills in.

    Args:
        words: the catalogue.
        request: exact bytes of the request.
        request_hash: of the request that the page is about.
        members: that the request names.
        keys: of the manager who asked, and opens.
        wrapped: the sealing key of those keys.
        sealed: partners' answers with their exact bytes, each verified by ``verify_sealed``.
        items: codes of items in the order in which they are shown.
        labels: what codes are called.
        needs: of the family as it was asked about: what each is called, and what services hold;
            None where what is known of it has changed since.
    """
    return {
        "id": request_hash,
        "request": b64(request),
        "members": b64(canonical_bytes(members)),
        "keys": b64(canonical_bytes(keys)),
        "wrapped": wrapped.model_dump(mode="json"),
        "passkey": _credential(passkey_of(keys)),
        "sealed": [{"party": items.party, "payload": b64(data)} for items, data in sealed],
        "items": list(items),
        "needs": None if needs is None else [list(each) for each in needs],
        "words": _words(words, "keys.open."),
        "form_words": words.under("keys.form."),
        "labels": _plain(labels),
    }


def _words(words: Words, prefix: str) -> dict[str, str]:
    return {"no_passkey": words("keys.no_passkey"), **words.under(prefix)}


def _credential(passkey: Passkey) -> dict[str, str]:
    return {"credential": passkey.credential, "relying_party": passkey.relying_party}


def _plain(labels: Labels | None) -> dict[str, dict[str, str]]:
    return {kind: dict(words) for kind, words in (labels or {}).items()}
