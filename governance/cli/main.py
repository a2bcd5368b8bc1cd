"""``governance``: for information-governance leads, service managers and the ledger's operator."""

from typing import Annotated

import typer

from governance.terminal import LazyGroup, Terminal, run_cli


class _Commands(LazyGroup):
    sources = {  # noqa: RUF012 - a constant of the class
        "party": "governance.cli.party:app",
        "person": "governance.cli.person:app",
        "agreement": "governance.cli.agreement:app",
        "ledger": "governance.cli.ledger:app",
        "release": "governance.cli.release_form:app",
        "register": "governance.cli.register:app",
        "oversight": "governance.cli.oversight:app",
        "console": "governance.cli.console:app",
        "evidence": "governance.cli.evidence:app",
        "verify": "governance.cli.evidence:verify_export",
    }


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Agreements, keys, the consent ledger, and the release of one family.",
)


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
