"""``governance person``: keys of members of staff, and the IG lead's countersignature."""

from pathlib import Path
from typing import Annotated

import typer

from governance.canonical import canonical_bytes, utc_now, write_time
from governance.errors import FormatError
from governance.identity.envelope import sign_bytes
from governance.identity.files import (
    new_person,
    read_person_secrets,
    write_secret,
)
from governance.identity.models import (
    PERSON_ENROLMENT,
    Role,
    publish_person_keys,
    read_person_keys,
)
from governance.identity.vouching import countersigned, enrolment_of, read_handed
from governance.terminal import passphrase, read_bytes, terminal, write_document

app = typer.Typer(no_args_is_help=True, help="Keys of staff.")


@app.command()
def init(
    context: typer.Context,
    party: Annotated[str, typer.Option(help="the organisation that employs you")],
    role: Annotated[Role, typer.Option(help="what you will do")],
    home: Annotated[Path, typer.Option(help="folder to put the keys in")],
    passphrase_file: Annotated[Path | None, typer.Option(help="encrypt the keys")] = None,
) -> None:
    """Make your keys: a secret file, and a public one for your IG lead. No name goes in."""
    secrets = new_person(party, role.value, write_time(utc_now()))
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(home / "person.secret", canonical_bytes(secrets), passphrase(passphrase_file))
    public = home / "person.keys.json"
    write_document(public, publish_person_keys(secrets.keys, secrets.signing_key))
    screen = terminal(context)
    screen.result(
        {
            "person": secrets.keys.person,
            "thumbprint": secrets.keys.thumbprint,
            "keys": str(public),
        },
        lambda out: out.print(f"{role.value}: {secrets.keys.thumbprint}\n{public}"),
    )
    screen.hint("hand person.keys.json to your IG lead and compare thumbprints in person")


@app.command()
def countersign(
    context: typer.Context,
    keys: Annotated[
        Path,
        typer.Argument(
            help="person.keys.json of the new member of staff; person.enrolment.json to sign it too"
        ),
    ],
    as_: Annotated[Path, typer.Option("--as", help="your own person.secret, as IG lead")],
    out: Annotated[Path, typer.Option(help="where to write the enrolment")],
    in_place_of: Annotated[
        str | None,
        typer.Option(
            help="another organisation's IG lead: thumbprint of the lead whom it lost last, sha256:"
        ),
    ] = None,
    passphrase_file: Annotated[Path | None, typer.Option(help="opens your keys")] = None,
) -> None:
    """Vouch for a colleague's keys, after comparing thumbprints in person.

    For another organisation's IG lead only where every lead it had is revoked (ADR 36), and in
    place of the one who was revoked last: your data officer sees whom that is in
    `partner-agent person leads`.
    """
    handed = read_handed(read_bytes(keys))
    person = read_person_keys(handed.published)
    lead = read_person_secrets(as_, passphrase(passphrase_file))
    if person.party != lead.keys.party and person.role is not Role.IG_LEAD:
        raise FormatError(
            "only an IG lead is ever enrolled by another organisation's",
            next_step="an IG lead of the same organisation countersigns everybody else",
        )
    if (in_place_of is None) != (person.party == lead.keys.party):
        raise FormatError(
            "--in-place-of is given for another organisation's IG lead and for nobody else",
            next_step="partner-agent person leads PARTY shows which lead was revoked last",
        )
    enrolment = enrolment_of(person, handed.signed, write_time(utc_now()), in_place_of)
    signature = sign_bytes(
        PERSON_ENROLMENT, canonical_bytes(enrolment), lead.signing_key, lead.keys.thumbprint
    )
    write_document(out, countersigned(handed, enrolment, signature))
    screen = terminal(context)
    if person.party != lead.keys.party:
        screen.say(
            f"this is an IG lead of {person.party}, not of {lead.keys.party}: it counts only while "
            f"every IG lead that {person.party} had is revoked, {in_place_of} as the last, and "
            f"for each agreement of {person.party} an IG lead of one of its partners has signed"
        )
    if person.passkey is not None:
        copies = "can" if person.passkey.backup_eligible else "cannot"
        screen.say(
            f"its passkey signs on {person.passkey.origin} and {copies} be copied to other devices"
        )
    screen.result(
        {"thumbprint": person.thumbprint, "role": person.role.value, "enrolment": str(out)},
        lambda console: console.print(f"{person.role.value} of {person.party}: {out}"),
    )
    screen.hint(f"partner-agent person enrol {out}")
