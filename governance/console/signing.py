"""Documents that come back signed from a page (``ui/keys.html``, ``signing_form``).

Rules, in order: the form holds the document's exact bytes and a browser's answer; the answer is a
signature over exactly these bytes by the passkey of the keys that the page was made for; only then
are they parsed. What the document says is for the view to check, since a form can hold any.
"""

from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import Field
from starlette.datastructures import FormData

from governance.canonical import Base64, Frozen, Time, parse_json, parse_time, unb64
from governance.errors import FormatError, SignatureError
from governance.identity.ceremonies import read_assertion
from governance.identity.envelope import Envelope, Model, open_envelope, parse_model
from governance.identity.models import PersonKeys, passkey_of
from governance.identity.passkeys import Assertion, Passkey

_ANSWER_MOST: Final = 20_000  # characters
_WITHIN: Final = timedelta(hours=1)
"""How long ago a page may have been loaded whose form is signed."""


class SignedForm(Frozen):
    """What a signing form sends."""

    document: Annotated[Base64, Field(max_length=_ANSWER_MOST)]
    signature: Annotated[str, Field(min_length=1, max_length=_ANSWER_MOST)]


def read_signed(
    fields: FormData, kind: str, model: type[Model], keys: PersonKeys
) -> tuple[Model, Envelope]:
    """A document of a kind, signed on a page by the passkey of ``keys``.

    Raises:
        FormatError: the form, the answer or the document has another form.
        SignatureError: not signed by that passkey, or over other bytes.
    """
    form = parse_model({name: fields.get(name) for name in SignedForm.model_fields}, SignedForm)
    envelope = Envelope(
        payload_type=kind,
        payload=form.document,
        signatures=(_assertion(form.signature, keys.thumbprint),),
    )
    document, _ = open_envelope(envelope, kind, model, _no_key, lambda _: passkey_of(keys))
    return document, envelope


def read_signed_keys(fields: FormData, kind: str) -> tuple[PersonKeys, Assertion]:
    """A person's new key document, signed on a page by the passkey that it holds.

    Raises:
        FormatError, SignatureError: likewise.
    """
    form = parse_model({name: fields.get(name) for name in SignedForm.model_fields}, SignedForm)
    keys = parse_model(parse_json(unb64(form.document)), PersonKeys)
    found, envelope = read_signed(fields, kind, PersonKeys, keys)
    (signature,) = envelope.signatures
    if not isinstance(signature, Assertion):  # read_signed makes no other
        raise FormatError("expected a passkey's signature")
    return found, signature


def own_passkey(keys: PersonKeys, command: str) -> Passkey:
    """The passkey by which a page has somebody sign.

    Args:
        keys: theirs.
        command: of ``governance``, which signs the same by keys that are a file.

    Raises:
        SignatureError: these keys have none.
    """
    if keys.passkey is None:
        raise SignatureError(
            "your keys hold no passkey, and no page signs without one",
            next_step=f"sign where your key file is, by governance {command}, or make keys with a "
            "passkey on Your signing keys",
        )
    return keys.passkey


def require_new(created: Time, now: datetime) -> None:
    """Check that a document was made for a page that was loaded a short time ago.

    Raises:
        SignatureError: it was not.
    """
    if abs(now - parse_time(created)) > _WITHIN:
        raise SignatureError(
            "this page was loaded too long ago", next_step="load it again, and sign once more"
        )


def _assertion(answer: str, thumbprint: str) -> Assertion:
    response = parse_json(answer.encode("utf-8", "replace"))
    if not isinstance(response, dict):
        raise FormatError("not a browser's answer to a request for a signature")
    return read_assertion(response, thumbprint)


def _no_key(_thumbprint: str) -> bytes:
    raise SignatureError("a page's documents are signed by a passkey")
