"""The linkage secret: made by one partner, sealed to each other, kept as a secret file.

It never leaves an agent but sealed to another partner's key; the hub relays ciphertext only.
"""

import secrets
from pathlib import Path

from governance.agreements.models import Agreement
from governance.canonical import b64, unb64, write_time
from governance.errors import SignatureError
from governance.exchange.hub_api import SecretPost
from governance.exchange.hub_client import HubClient
from governance.exchange.secret import LINKAGE_SECRET, SECRET_BYTES, SealedSecret, seal_info
from governance.identity.envelope import Envelope, open_envelope, sign
from governance.identity.files import PartySecrets, read_secret, write_secret
from governance.identity.keys import seal
from governance.ledger.state import LedgerState
from partner_agent.encoding.tokens import LinkageKeys, key_check_value
from partner_agent.errors import AgentError
from partner_agent.ledger import AgentLedger


class LinkageSecretError(AgentError):
    """The linkage secret is missing, of another agreement, or not from a partner."""

    reason = "linkage_secret"
    exit_code = 77  # EX_NOPERM


def secret_path(home: Path, agreement: Agreement) -> Path:
    """Where the secret of an agreement and epoch is kept."""
    folder = home / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{agreement.hash[7:23]}-{agreement.encoding.epoch}.secret"


def create_secret(home: Path, agreement: Agreement, passphrase: bytes | None) -> str:
    """Make the secret of an agreement's epoch; returns its key check value.

    Raises:
        SecretFileError: this partner holds one already.
    """
    secret = secrets.token_bytes(SECRET_BYTES)
    write_secret(secret_path(home, agreement), secret, passphrase)
    return key_check_value(_keys(secret, agreement))


def load_keys(home: Path, agreement: Agreement, passphrase: bytes | None) -> LinkageKeys:
    """The linkage keys of an agreement.

    Raises:
        LinkageSecretError: this partner has no secret yet.
    """
    path = secret_path(home, agreement)
    if not path.exists():
        raise LinkageSecretError(
            f"no linkage secret for agreement {agreement.id}, epoch {agreement.encoding.epoch}",
            next_step="one partner runs secret create and secret share, the others secret accept",
        )
    return _keys(read_secret(path, passphrase), agreement)


def share_secret(
    home: Path,
    agreement: Agreement,
    party: PartySecrets,
    ledger: AgentLedger,
    passphrase: bytes | None,
) -> SecretPost:
    """The secret sealed to every other partner that owns a source.

    Raises:
        LinkageSecretError: this partner has no secret.
    """
    secret = read_secret(secret_path(home, agreement), passphrase)
    check = key_check_value(_keys(secret, agreement))
    state = ledger.sync()
    owners = {source.party for source in agreement.sources} - {party.keys.party}
    created = write_time(ledger.author.now())
    envelopes = []
    for listed in agreement.parties:
        if listed.party not in owners:
            continue
        recipient = state.identities.parties[listed.keys]
        info = seal_info(
            agreement.hash, agreement.encoding.epoch, party.keys.party, recipient.thumbprint
        )
        sealed = SealedSecret(
            agreement=agreement.hash,
            epoch=agreement.encoding.epoch,
            sender=party.keys.party,
            recipient=listed.party,
            recipient_keys=recipient.thumbprint,
            key_check_value=check,
            created=created,
            ciphertext=b64(seal(secret, unb64(recipient.sealing), info)),
        )
        envelopes.append(sign(LINKAGE_SECRET, sealed, party.signing_key, party.keys.thumbprint))
    return SecretPost(secrets=tuple(envelopes))


def accept_secret(
    home: Path,
    agreement: Agreement,
    party: PartySecrets,
    state: LedgerState,
    hub: HubClient,
    passphrase: bytes | None,
) -> str:
    """Fetch, verify, open and keep the secret; returns its key check value.

    Raises:
        SignatureError, LinkageSecretError, UnsealError: not from a party that owns a source of the
            agreement, for another use, or not what its key check value says.
    """
    envelope = hub.secret(agreement.hash, agreement.encoding.epoch)
    secret, check = _open(envelope, agreement, party, state)
    write_secret(secret_path(home, agreement), secret, passphrase)
    return check


def _open(
    envelope: Envelope, agreement: Agreement, party: PartySecrets, state: LedgerState
) -> tuple[bytes, str]:
    sealed, signers = open_envelope(
        envelope, LINKAGE_SECRET, SealedSecret, lambda key: state.identities.party_key(key)[1]
    )
    sender = agreement.party(sealed.sender)
    if len(signers) != 1 or sender is None or sender.keys != signers[0]:
        raise SignatureError("the linkage secret is not signed by a party to the agreement")
    if sender.party not in {source.party for source in agreement.sources}:
        raise SignatureError(
            "the linkage secret is by a party that owns no source: others may know it",
            next_step="ask a partner that submits records to make and share another",
        )
    wanted = (agreement.hash, agreement.encoding.epoch, party.keys.thumbprint)
    if (sealed.agreement, sealed.epoch, sealed.recipient_keys) != wanted:
        raise LinkageSecretError("the linkage secret is for another agreement, epoch or partner")
    info = seal_info(sealed.agreement, sealed.epoch, sealed.sender, sealed.recipient_keys)
    secret = party.sealing_key.unseal(unb64(sealed.ciphertext), info)
    check = key_check_value(_keys(secret, agreement))
    if check != sealed.key_check_value:
        raise LinkageSecretError(
            "the linkage secret does not have the key check value that came with it",
            next_step=f"ask {sealed.sender} to share it again",
        )
    return secret, check


def _keys(secret: bytes, agreement: Agreement) -> LinkageKeys:
    return LinkageKeys.derive(secret, agreement.hash, agreement.encoding.epoch)
