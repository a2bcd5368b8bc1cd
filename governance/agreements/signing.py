"""A party's signature over an agreement.

Rules, in order: the agreement names the party; it names these very keys; what is signed is the
agreement's canonical bytes.
"""

from collections.abc import Iterator
from typing import Any

from governance.agreements.models import AGREEMENT, Agreement, AgreementParty
from governance.canonical import canonical_bytes
from governance.errors import FormatError, SignatureError
from governance.identity.envelope import Signature, sign_bytes
from governance.identity.files import PartySecrets
from governance.identity.models import PartyKeys


def require_named(agreement: Agreement, keys: PartyKeys) -> AgreementParty:
    """The party as the agreement names it.

    Raises:
        SignatureError: it does not name the party, or other keys of it.
    """
    listed = agreement.party(keys.party)
    if listed is None or listed.keys != keys.thumbprint:
        raise SignatureError(
            "the agreement does not name this party's keys",
            next_step="governance agreement complete, with this party's .keys.json",
        )
    return listed


def require_plain_text(agreement: Agreement) -> None:
    """Check that an agreement says what it looks like, before anybody proposes or signs it.

    Replay takes whatever was signed once.

    Raises:
        FormatError: a text has characters that do not show, or turn what is beside them around.
    """
    if places := list(_unplain(agreement.model_dump(mode="json"), "")):
        raise FormatError(
            f"characters that do not show, or turn the text beside them around: {places[0]}",
            next_step="write it anew by hand: letters, digits, spaces, marks and line breaks",
        )


def _unplain(value: Any, place: str) -> Iterator[str]:
    """Fields, by their place, whose text or name is not plain; a text may have several lines."""
    if isinstance(value, dict):
        for name, each in value.items():
            shown = name if name.isprintable() else "a name"
            if shown != name:
                yield f"{place}{shown}"
            yield from _unplain(each, f"{place}{shown}.")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _unplain(each, f"{place}{number}.")
    elif isinstance(value, str) and not all(line.isprintable() for line in value.split("\n")):
        yield place.rstrip(".")


def sign_agreement(agreement: Agreement, secrets: PartySecrets) -> Signature:
    """Sign an agreement.

    Raises:
        SignatureError, FormatError: see ``require_named`` and ``require_plain_text``.
    """
    require_named(agreement, secrets.keys)
    require_plain_text(agreement)
    data = canonical_bytes(agreement)
    return sign_bytes(AGREEMENT, data, secrets.signing_key, secrets.keys.thumbprint)
