"""The relay of sealed linkage secrets: ciphertext in, ciphertext out.

Rules: each is signed by the party that sends it and sealed to a party of the same agreement; the
first secret of an agreement and epoch for a recipient stays. The hub cannot open any of them.
"""

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from governance.canonical import canonical_bytes, parse_json
from governance.errors import SignatureError
from governance.exchange.secret import LINKAGE_SECRET, SealedSecret
from governance.identity.envelope import Envelope, open_envelope, parse_model
from governance.ledger.party import PartyLedger
from linkage_hub.errors import HubError
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import secrets


class UnknownSecret(HubError):
    """No linkage secret was shared with the caller."""

    reason = "linkage_secret.unknown"


class SecretRelay:
    """Sealed secrets by agreement, epoch and recipient."""

    def __init__(self, database: HubDatabase, ledger: PartyLedger) -> None:
        self._database = database
        self._ledger = ledger

    def post(self, party: str, envelopes: tuple[Envelope, ...]) -> None:
        """Keep sealed secrets for their recipients; may be repeated.

        Raises:
            SignatureError, AgreementRefusal: not by the caller, or not between parties to it.
        """
        state = self._ledger.sync()
        for envelope in envelopes:
            sealed, signers = open_envelope(
                envelope,
                LINKAGE_SECRET,
                SealedSecret,
                lambda key: state.identities.party_key(key)[1],
            )
            agreement = state.agreements.standing(sealed.agreement).agreement
            sender, recipient = agreement.party(party), agreement.party(sealed.recipient)
            if sealed.sender != party or sender is None or signers != (sender.keys,):
                raise SignatureError("a linkage secret is signed by the party that sends it")
            if recipient is None or recipient.keys != sealed.recipient_keys:
                raise SignatureError("a linkage secret is sealed to a party to the agreement")
            self._keep(sealed, envelope)

    def _keep(self, sealed: SealedSecret, envelope: Envelope) -> None:
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        with self._database.writing() as connection:
            connection.execute(
                insert(secrets)
                .values(
                    agreement=sealed.agreement,
                    epoch=sealed.epoch,
                    recipient=sealed.recipient_keys,
                    envelope=canonical_bytes(envelope),
                )
                .on_conflict_do_nothing()
            )

    def get(self, thumbprint: str, agreement: str, epoch: int) -> Envelope:
        """The secret that was sealed to the caller.

        Raises:
            UnknownSecret: none yet.
        """
        with self._database.reading() as connection:
            found = connection.scalar(
                select(secrets.c.envelope).where(
                    secrets.c.agreement == agreement,
                    secrets.c.epoch == epoch,
                    secrets.c.recipient == thumbprint,
                )
            )
        if found is None:
            raise UnknownSecret(
                "no linkage secret was shared with this party yet",
                next_step="the partner that made it runs: partner-agent secret share",
            )
        return parse_model(parse_json(found), Envelope)
