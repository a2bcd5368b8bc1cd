"""``governance console``: the staff console of one organisation."""

from pathlib import Path
from typing import Annotated

import typer

from governance.canonical import utc_now
from governance.cli.copies import KeyFile, Url, read_vkey
from governance.console.accounts import LINK_DAYS, Accounts
from governance.console.app import init_console
from governance.console.app import serve as serve_console
from governance.console.audit import AuditHead, AuditLog
from governance.console.console import open_database
from governance.console.settings import ConsoleSettings
from governance.identity.envelope import parse_model
from governance.identity.models import Role
from governance.terminal import terminal

app = typer.Typer(no_args_is_help=True, help="Pages for service managers, IG leads and analysts.")
audit = typer.Typer(no_args_is_help=True, help="The log of who opened what.")
app.add_typer(audit, name="audit")

Home = Annotated[Path, typer.Option(envvar="HEARTHLINK_CONSOLE_HOME", help="the console's folder")]


@app.command()
def init(
    context: typer.Context,
    home: Home,
    party: Annotated[str, typer.Option(help="the organisation whose staff will use it")],
    origin: Annotated[str, typer.Option(help="its address in browsers, https://HOST")],
    ledger: Url,
    ledger_key: KeyFile,
    hub: Annotated[str | None, typer.Option(help="the hub's address")] = None,
    passphrase_file: Annotated[
        Path | None, typer.Option(help="encrypts the console's keys; named in the settings too")
    ] = None,
) -> None:
    """Make a console's folder."""
    settings = parse_model(
        {
            "party": party,
            "origin": origin,
            "ledger_url": ledger,
            "ledger_key": str(read_vkey(ledger_key)),
            "hub_url": hub,
            "passphrase_file": passphrase_file,
        },
        ConsoleSettings,
    )
    init_console(home, settings)
    screen = terminal(context)
    screen.result({"origin": origin, "home": str(home)}, lambda out: out.print(origin))
    screen.hint(f"governance console invite --home {home} --role ig_lead --name NAME")


@app.command()
def invite(
    context: typer.Context,
    home: Home,
    role: Annotated[Role, typer.Option(help="what the person will do")],
    name: Annotated[str, typer.Option(help="by which colleagues know the person")],
) -> None:
    """Make an account, and print the one-time link that opens it. Afterwards leads invite."""
    settings = ConsoleSettings.load(home)
    database = open_database(home, settings)
    try:
        account, token = Accounts(database, utc_now).invite(role, name)
    finally:
        database.close()
    link = f"{settings.origin}/invitation#{token}"
    screen = terminal(context)
    screen.result(
        {"person": account.id, "role": role.value, "link": link},
        lambda out: out.print(link, soft_wrap=True),
    )
    screen.say(f"it works once, for {LINK_DAYS} days; whoever opens it first gets the account")
    screen.hint(f"governance console serve --home {home}")


@app.command()
def serve(
    home: Home,
    host: Annotated[str | None, typer.Option(help="address to listen at")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen at")] = None,
) -> None:
    """Run the console."""
    serve_console(home, host, port)


def _head(text: str) -> AuditHead:
    try:
        return AuditHead.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@audit.command()
def verify(
    context: typer.Context,
    home: Home,
    head: Annotated[
        list[AuditHead] | None,
        typer.Option(parser=_head, help="one that was noted before; may be repeated"),
    ] = None,
    since: Annotated[
        AuditHead | None,
        typer.Option(parser=_head, help="up to which the organisation has deleted its log"),
    ] = None,
) -> None:
    """Whether every entry is as it was written, and none is gone; print the head to note."""
    database = open_database(home, ConsoleSettings.load(home))
    try:
        found = AuditLog(database, utc_now).verify(head or (), since)
    finally:
        database.close()
    screen = terminal(context)
    screen.result(
        {"entries": found.number - (since.number if since else 0), "head": str(found)},
        lambda out: out.print(str(found), soft_wrap=True),
    )
    if not head:
        screen.say(
            "whoever can write to the database could have made all of it anew: "
            "name a head that was noted elsewhere (--head)"
        )
