"""``linkage-hub review``: clerical review, as an analyst, over HTTP."""

from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Column, Table

from governance.exchange.analysis_api import PAGE, PAGE_MOST
from governance.exchange.hub_api import ReviewPair, RulingPost, RulingView
from governance.terminal import terminal
from linkage_hub.cli.analysis import Limit, Offset
from linkage_hub.cli.runs import As, Passphrase, Url, client_of
from linkage_hub.errors import HubError

app = typer.Typer(no_args_is_help=True, help="Rule on doubtful pairs of records, as an analyst.")
HANDLE: Final = 32  # digits


class NotListed(HubError):
    """A pair that is not among those to rule on."""

    reason = "review.not_listed"


OfAgreement = Annotated[str, typer.Option("--agreement", help="hash, sha256:...")]


@app.command("list")
def list_(
    context: typer.Context,
    hub: Url,
    as_: As,
    agreement: OfAgreement,
    offset: Offset = 0,
    limit: Limit = PAGE,
    passphrase_file: Passphrase = None,
) -> None:
    """Pairs whose ruling would change most; those of families put forward first."""
    with client_of(hub, as_, passphrase_file) as client:
        found = client.review(agreement, offset, limit)
    screen = terminal(context)
    screen.result(found.model_dump(mode="json"), lambda out: _pairs(list(found.pairs), out))
    if found.not_followed:
        screen.hint(f"linkage-hub review rulings: {found.not_followed} could not be followed")


@app.command()
def show(
    context: typer.Context,
    left: Annotated[str, typer.Argument(help="handle of the one record")],
    right: Annotated[str, typer.Argument(help="handle of the other")],
    hub: Url,
    as_: As,
    agreement: OfAgreement,
    passphrase_file: Passphrase = None,
) -> None:
    """A pair of the list side by side, masked: how alike, what was answered, what a ruling does."""
    with client_of(hub, as_, passphrase_file) as client:
        listed = client.review(agreement, limit=PAGE_MOST)
    ends = {left, right}
    found = next((pair for pair in listed.pairs if {pair.left, pair.right} == ends), None)
    if found is None:
        raise NotListed(
            "the pair is not among those to rule on",
            next_step="take both handles from one line of: linkage-hub review list",
        )
    screen = terminal(context)
    screen.result(found.model_dump(mode="json"), lambda out: _side_by_side(found, out))
    screen.hint(f"linkage-hub review decide {found.left} {found.right} --same, or --different")


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


def _side_by_side(pair: ReviewPair, out: Console) -> None:
    table = Table("", "left", "right")
    table.add_row("record", pair.left, pair.right)
    table.add_row("source", pair.left_source, pair.right_source)
    table.add_row("records of its person", str(pair.left_records), str(pair.right_records))
    out.print(table)
    if pair.views:
        views = Table("view", "leaves out", "similarity")
        for view in pair.views:
            gone = ", ".join(view.leaves_out) or "nothing"
            views.add_row(view.view, gone, f"{view.similarity:.2f}")
        out.print(views)
    else:
        out.print("both are of one source: its agent compared them, in plaintext")
    out.print(f"probability of one person: {pair.probability:.2f}")
    out.print(f"the partners' agents, asked whether they agree enough: {_answer(pair)}")
    out.print(f"the run holds them for {_now(pair)}; {_ruling(pair)}")


def _answer(pair: ReviewPair) -> str:
    return pair.answer or "not asked"


def _now(pair: ReviewPair) -> str:
    return "one person" if pair.together else "two"


def _ruling(pair: ReviewPair) -> str:
    """What the ruling that changes something would do."""
    if pair.together:
        return f"--different keeps them apart and parts its {pair.left_records} records in two"
    joined = pair.left_records + pair.right_records
    return f"--same makes one person of {joined} records"


def _pairs(found: list[ReviewPair], out: Console) -> None:
    table = _of_two("sources", "probability", "now", "agents", "changes", "put forward")
    for pair in found:
        table.add_row(
            f"{pair.left}\n{pair.right}", f"{pair.left_source}\n{pair.right_source}",
            f"{pair.probability:.2f}", _now(pair), _answer(pair), f"{pair.changes:.1f}",
            {None: "not told", False: "", True: "yes"}[pair.flagged],
        )  # fmt: skip
    out.print(table)


def _rulings(found: list[RulingView], out: Console) -> None:
    table = _of_two("ruling", "by", "on", "followed", "contradicted")
    followed = {True: "yes", False: "no", None: "not yet"}
    for each in found:
        table.add_row(
            f"{each.left}\n{each.right}", "same" if each.same else "different",
            f"{each.party} {each.person[7:15]}", each.decided[:10], followed[each.followed],
            "yes" if each.contradicted else "",
        )  # fmt: skip
    out.print(table)


def _of_two(*headings: str) -> Table:
    """A table of pairs, whose handles stay whole on a narrow screen: commands take them."""
    return Table(Column("left, right", no_wrap=True, min_width=HANDLE), *headings)
