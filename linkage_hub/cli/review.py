"""``linkage-hub review``: clerical review, as an analyst, over HTTP."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from governance.exchange.hub_api import ReviewPair, RulingPost, RulingView
from governance.terminal import terminal
from linkage_hub.cli.runs import As, Passphrase, Url, client_of

app = typer.Typer(no_args_is_help=True, help="Rule on doubtful pairs of records, as an analyst.")

OfAgreement = Annotated[str, typer.Option("--agreement", help="hash, sha256:...")]


@app.command("list")
def list_(
    context: typer.Context,
    hub: Url,
    as_: As,
    agreement: OfAgreement,
    passphrase_file: Passphrase = None,
) -> None:
    """Pairs whose ruling would change most; those of families put forward first."""
    with client_of(hub, as_, passphrase_file) as client:
        found = client.review(agreement)
    screen = terminal(context)
    screen.result(found.model_dump(mode="json"), lambda out: _pairs(list(found.pairs), out))
    if found.not_followed:
        screen.hint(f"linkage-hub review rulings: {found.not_followed} could not be followed")


@app.command()
def decide(
    context: typer.Context,
    left: Annotated[str, typer.Argument(help="handle of the one record")],
    right: Annotated[str, typer.Argument(help="handle of the other")],
    hub: Url,
    as_: As,
    agreement: OfAgreement,
    same: Annotated[bool, typer.Option("--same/--different", help="one person, or two")],
    passphrase_file: Passphrase = None,
) -> None:
    """Rule that two records are one person, or two; every later run follows it."""
    with client_of(hub, as_, passphrase_file) as client:
        found = client.rule(agreement, RulingPost(left=left, right=right, same=same))
    screen = terminal(context)
    screen.result(found.model_dump(mode="json"), lambda out: _rulings(list(found.rulings), out))
    screen.hint("linkage-hub runs start: rulings take effect in the next run")


@app.command()
def rulings(
    context: typer.Context,
    hub: Url,
    as_: As,
    agreement: OfAgreement,
    passphrase_file: Passphrase = None,
) -> None:
    """Rulings that count, oldest first, and whether the current run followed them."""
    with client_of(hub, as_, passphrase_file) as client:
        found = client.rulings(agreement)
    terminal(context).result(
        found.model_dump(mode="json"), lambda out: _rulings(list(found.rulings), out)
    )


def _pairs(found: list[ReviewPair], out: Console) -> None:
    table = Table("left", "right", "sources", "probability", "changes", "put forward")
    for pair in found:
        table.add_row(
            pair.left, pair.right, f"{pair.left_source}, {pair.right_source}",
            f"{pair.probability:.2f}", f"{pair.changes:.1f}", "yes" if pair.flagged else "",
        )  # fmt: skip
    out.print(table)


def _rulings(found: list[RulingView], out: Console) -> None:
    table = Table("left", "right", "ruling", "by", "on", "followed", "contradicted")
    followed = {True: "yes", False: "no", None: "not taken up yet"}
    for each in found:
        table.add_row(
            each.left, each.right, "same" if each.same else "different",
            f"{each.party} {each.person[7:15]}", each.decided, followed[each.followed],
            "yes" if each.contradicted else "",
        )  # fmt: skip
    out.print(table)
