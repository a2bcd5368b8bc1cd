"""``governance party``: keys of an organisation that runs no agent (the hub, the ledger)."""

from pathlib import Path
from typing import Annotated

import typer

from governance.canonical import canonical_bytes
from governance.identity.files import new_party, write_secret
from governance.identity.models import publish_party_keys
from governance.terminal import passphrase, terminal, write_document

app = typer.Typer(no_args_is_help=True, help="Keys of the hub and of the ledger's operator.")


@app.command()
def init(
    context: typer.Context,
    party: Annotated[str, typer.Option(help="short name, for example hub")],
    name: Annotated[str, typer.Option(help="full name")],
    home: Annotated[Path, typer.Option(help="folder to put the keys in")],
    passphrase_file: Annotated[Path | None, typer.Option(help="encrypt the keys")] = None,
) -> None:
    """Make a party's keys: a secret file, and a public one to hand to the ledger's operator."""
    secrets = new_party(party, name)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(home / "party.secret", canonical_bytes(secrets), passphrase(passphrase_file))
    public = home / f"{party}.keys.json"
    write_document(public, publish_party_keys(secrets.keys, secrets.signing_key))
    screen = terminal(context)
    screen.result(
        {"party": party, "thumbprint": secrets.keys.thumbprint, "keys": str(public)},
        lambda out: out.print(f"{party}: {secrets.keys.thumbprint}\n{public}"),
    )
    screen.hint("give the .keys.json file to the ledger's operator; compare thumbprints by phone")
