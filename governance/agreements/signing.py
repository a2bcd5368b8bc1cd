"""A party's signature over an agreement.

Rules, in order: the agreement names the party; it names these very keys; what is signed is the
agreement's canonical bytes.
"""

from governance.agreements.models import AGREEMENT, Agreement, AgreementParty
from governance.canonical import canonical_bytes
from governance.errors import SignatureError
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


def sign_agreement(agreement: Agreement, secrets: PartySecrets) -> Signature:
    """Sign an agreement.

    Raises:
        SignatureError: see ``require_named``.
    """
    require_named(agreement, secrets.keys)
    data = canonical_bytes(agreement)
    return sign_bytes(AGREEMENT, data, secrets.signing_key, secrets.keys.thumbprint)
