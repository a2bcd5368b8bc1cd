"""``governance``: for information-governance leads, service managers and the ledger's operator."""

from typing import Annotated

import typer

from governance.cli import agreement, evidence, ledger, party, person, release
from governance.terminal import Terminal, run_cli

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Agreements, keys, the consent ledger, and the release of one family.",
)
app.add_typer(party.app, name="party")
app.add_typer(person.app, name="person")
app.add_typer(agreement.app, name="agreement")
app.add_typer(ledger.app, name="ledger")
app.add_typer(release.app, name="release")
app.add_typer(evidence.app, name="evidence")
app.command("verify")(evidence.verify_export)


@app.callback()
def options(
    context: typer.Context,
    json: Annotated[bool, typer.Option(help="results as JSON on stdout")] = False,
    quiet: Annotated[bool, typer.Option(help="no messages")] = False,
    no_input: Annotated[bool, typer.Option(help="never ask")] = False,
) -> None:
    """Options of every command."""
    context.obj = Terminal(json=json, quiet=quiet, no_input=no_input)


def run() -> None:
    """Entry point."""
    run_cli(app)


if __name__ == "__main__":
    run()
