"""``governance ledger admit``: the operator lets a further party into a ledger that runs."""

from pathlib import Path
from typing import Annotated

import typer

from governance.canonical import utc_now
from governance.cli.copies import KeyFile, Passphrase, Url, read_vkey
from governance.errors import GovernanceError
from governance.exchange.http import RequestSigner
from governance.identity.envelope import Envelope
from governance.identity.files import read_party_secrets
from governance.identity.models import read_party_keys, require_plain_name
from governance.ledger.client import LedgerClient
from governance.ledger.events import Author, EventType
from governance.ledger.payloads import PartyAdmitted
from governance.terminal import passphrase, read_document, terminal


class OtherKeys(GovernanceError):
    """Keys that are not those whose thumbprint was read out."""

    reason = "ledger.other_keys"
    exit_code = 65  # EX_DATAERR


def admit(
    context: typer.Context,
    keys: Annotated[Path, typer.Argument(help=".keys.json of the party, as it was handed to you")],
    url: Url,
    key_file: KeyFile,
    operator: Annotated[Path, typer.Option(help="party.secret of the ledger's operator")],
    thumbprint: Annotated[str, typer.Option(help="as the party read it to you by phone, sha256:")],
    passphrase_file: Passphrase = None,
) -> None:
    """Admit a further party. Call it by a number that you know, and have its thumbprint read out.

    Its agent works from then on; its data come under an agreement that every party has signed.
    """
    published = read_document(keys, Envelope)
    party = read_party_keys(published)
    if party.thumbprint != thumbprint:
        raise OtherKeys(
            f"{keys.name} holds keys with another thumbprint than the one you were told",
            next_step="call the party, and have the file handed over again",
        )
    require_plain_name(party)
    secrets = read_party_secrets(operator, passphrase(passphrase_file))
    key = read_vkey(key_file)
    author = Author(secrets.keys.thumbprint, secrets.signing_key, utc_now, key.name)
    signer = RequestSigner(secrets.keys.thumbprint, secrets.signing_key)
    with LedgerClient(url, key, signer) as client:
        receipt = client.append(
            author.write(EventType.PARTY_ADMITTED, PartyAdmitted(keys=published))
        )
    screen = terminal(context)
    screen.result(
        {"party": party.party, "thumbprint": party.thumbprint, "index": receipt.index},
        lambda out: out.print(f"{party.party} is in the ledger, entry {receipt.index}"),
    )
    screen.hint(f"hand ledger.vkey to {party.party}; an agreement that names it is signed by all")
