"""``identity`` and ``agreement``: who the hub is, and its own signature under an agreement.

Rules: the hub signs as the processor that an agreement names by the hub's very keys, and as nothing
else: it owns no source, and its cosignature would count as a witness's.
"""

from pathlib import Path
from typing import Annotated, Final

import typer

from governance.agreements.files import read_agreement
from governance.agreements.life import life
from governance.agreements.signing import require_named, sign_agreement
from governance.cli.agreement import life_data, show_agreement, show_lives
from governance.errors import SignatureError
from governance.identity.models import publish_party_keys
from governance.ledger.events import EventType
from governance.ledger.payloads import AgreementSigned
from governance.terminal import terminal, write_document
from linkage_hub.app import open_hub
from linkage_hub.cli.context import home_of

app = typer.Typer(no_args_is_help=True, help="Agreements that name the hub.")
Named = Annotated[
    str, typer.Argument(help="agreement.yaml as it was handed to you, or its sha256:...")
]
_PROCESSOR: Final = "processor"


def identity(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="write the public .keys.json anew")] = None,
) -> None:
    """Who the hub is: what an agreement's parties need to name it as their processor."""
    screen = terminal(context)
    with open_hub(home_of(context)) as hub:
        keys, key = hub.secrets.keys, hub.secrets.signing_key
    if out is not None:
        write_document(out, publish_party_keys(keys, key))
    data = {"party": keys.party, "name": keys.name, "keys": keys.thumbprint, "role": _PROCESSOR}
    screen.result(data, lambda console: console.print(f"{keys.party}: {keys.thumbprint}"))
    screen.hint(
        f"compare the thumbprint by phone; in the agreement: party {keys.party}, role {_PROCESSOR}"
    )


@app.command("list")
def list_(context: typer.Context) -> None:
    """Every agreement that names the hub: its state, who has to do what next, and by when."""
    with open_hub(home_of(context)) as hub:
        known, party, now = hub.ledger.sync().agreements, hub.secrets.keys.party, hub.now()
        standings = [known.standing(found) for found in known]
    named = [each for each in standings if each.agreement.party(party) is not None]
    show_lives(terminal(context), named, now)


@app.command()
def show(context: typer.Context, agreement: Named) -> None:
    """Show an agreement, and who has signed it."""
    screen = terminal(context)
    with open_hub(home_of(context)) as hub:
        standing = hub.ledger.sync().agreements.standing(_hash(agreement))
        told = life_data(standing, life(standing, hub.now()))
    data = {"agreement": standing.agreement.model_dump(mode="json"), "life": told}
    screen.result(data, lambda out: show_agreement(out, standing.agreement))
    screen.say(f"signed by {', '.join(sorted(standing.signed_by)) or 'nobody'}")


@app.command()
def sign(
    context: typer.Context,
    agreement: Named,
    yes: Annotated[bool, typer.Option(help="do not ask")] = False,
) -> None:
    """Sign an agreement as the processor that it names."""
    screen, hash_ = terminal(context), _hash(agreement)
    with open_hub(home_of(context)) as hub:
        standing = hub.ledger.sync().agreements.standing(hash_)
        found, keys = standing.agreement, hub.secrets.keys
        if require_named(found, keys).role != _PROCESSOR:
            raise SignatureError(
                "the agreement names the hub as a controller, and the hub is a processor",
                next_step=f"a version that says role: {_PROCESSOR}",
            )
        if keys.party not in standing.signed_by:
            screen.confirm(f"Sign {found.id} version {found.version}?", yes=yes)
            signature = sign_agreement(found, hub.secrets)
            payload = AgreementSigned(agreement=hash_, signature=signature)
            hub.ledger.write(EventType.AGREEMENT_SIGNED, payload)
            standing = hub.ledger.sync().agreements.standing(hash_)
        told = life_data(standing, life(standing, hub.now()))
    by = ", ".join(told["signed_by"])
    screen.result(told, lambda out: out.print(f"signed by {by}; {told['state']}"))


def _hash(named: str) -> str:
    """The hash of an agreement that is given as a file or by its hash.

    Raises:
        FormatError: the file is no agreement.
    """
    return named if named.startswith("sha256:") else read_agreement(Path(named)).hash
