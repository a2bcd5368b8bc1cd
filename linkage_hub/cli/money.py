"""``linkage-hub money``: catalogues of unit costs, statements of savings."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from governance.canonical import hash_of
from governance.terminal import terminal
from linkage_hub.analytics.edited import read_edited
from linkage_hub.analytics.made import NotMadeSo, read_made, require_same, write_made
from linkage_hub.analytics.money.models import Savings, UnitCosts
from linkage_hub.analytics.money.savings import Range, Report, report
from linkage_hub.analytics.shipped import read_catalogue

app = typer.Typer(no_args_is_help=True, help="What needs cost, and what was saved.")
PACKAGE: Final = "linkage_hub.analytics.money"
Catalogue = Annotated[
    str, typer.Argument(help="a YAML file, or the name of one that comes with the program")
]


@app.command()
def check(context: typer.Context, catalogue: Catalogue) -> None:
    """Check a catalogue of unit costs; every fault is listed with its line."""
    found = read_catalogue(catalogue, PACKAGE, UnitCosts)
    data = {"id": found.id, "costs": [cost.model_dump(mode="json") for cost in found.costs]}
    terminal(context).result(data, lambda out: _show_costs(found, out))


Statement = Annotated[Path, typer.Argument(help="a statement of savings, YAML")]
Costs = Annotated[str | None, typer.Option(help="catalogue of unit costs that the statement names")]
Prices = Annotated[
    str | None, typer.Option(help="financial year to carry the costs to, such as 2025-26")
]


@app.command("report")
def report_(
    context: typer.Context,
    savings: Statement,
    costs: Costs = None,
    prices: Prices = None,
    out: Annotated[
        Path | None, typer.Option(help="a .json file for it, with what it was made of beside it")
    ] = None,
) -> None:
    """Work out a statement: cashable apart from modelled, and where its source is at odds."""
    found, inputs, options = _worked_out(savings, costs, prices)
    if out is not None:
        write_made(out, {out: _as_json(found)}, "money", inputs=inputs, options=options)
    screen = terminal(context)
    screen.result(_data(found), lambda console: _show(found, console))
    for remark in found.remarks:
        screen.say(remark)


@app.command()
def verify(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="a .json file that money report has written")],
    savings: Statement,
    costs: Costs = None,
    prices: Prices = None,
) -> None:
    """Whether a report is as it was written, of this statement and these costs, to the penny."""
    made = read_made(file, "money")
    found, inputs, options = _worked_out(savings, costs, prices)
    if other := sorted(
        name
        for said, here in ((made.inputs, inputs), (made.options, options))
        for name in said.keys() | here.keys()
        if said.get(name) != here.get(name)
    ):
        raise NotMadeSo(f"made of another: {', '.join(other)}")
    require_same(file, _as_json(found))
    terminal(context).result(
        {"same": True}, lambda console: console.print("as written, and it comes out the same")
    )


def _worked_out(
    savings: Path, costs: str | None, prices: str | None
) -> tuple[Report, dict[str, str], dict[str, str]]:
    """A report, hashes of what went into it, and what was asked for."""
    statement = read_edited(savings, Savings)
    catalogue = read_catalogue(costs, PACKAGE, UnitCosts) if costs is not None else None
    inputs = {"savings": hash_of(statement)}
    if catalogue is not None:
        inputs["costs"] = hash_of(catalogue)
    return report(statement, catalogue, prices), inputs, {"prices": prices} if prices else {}


def _as_json(found: Report) -> bytes:
    return json.dumps(_data(found), indent=2).encode() + b"\n"


def _data(found: Report) -> dict[str, Any]:
    return {
        "title": found.title,
        "lines": [
            {
                "id": line.id,
                "kind": line.kind,
                "units": None if line.units is None else str(line.units),
                "price_year": line.price_year or None,
                "pounds": _pounds(line.pounds),
                "range_stated": line.has_range,
            }
            for line in found.lines
        ],
        "cashable": _pounds(found.cashable),
        "modelled": _pounds(found.modelled),
        "remarks": list(found.remarks),
    }


def _pounds(amount: Range) -> dict[str, str]:
    return {"central": str(amount.central), "low": str(amount.low), "high": str(amount.high)}


def _show(found: Report, out: Console) -> None:
    table = Table("saving", "kind", "units", "pounds", "low to high", title=found.title)
    for line in found.lines:
        reach = f"{_said(line.pounds.low)} to {_said(line.pounds.high)}"
        table.add_row(
            line.title,
            line.kind,
            "" if line.units is None else f"{line.units.normalize():f}",
            _said(line.pounds.central),
            reach if line.has_range else "no range stated",
        )
    out.print(table)
    for kind, amount in (("cashable", found.cashable), ("modelled", found.modelled)):
        out.print(f"{kind}: {_said(amount.central)} ({_said(amount.low)} to {_said(amount.high)})")
    out.print("modelled pounds have left no budget; the two are not added up")


def _show_costs(found: UnitCosts, out: Console) -> None:
    table = Table("cost", "unit", "pounds", "prices of", "includes", "cashable", title=found.title)
    for cost in found.costs:
        table.add_row(
            cost.title,
            cost.unit,
            _said(cost.pounds),
            cost.price_year,
            ", ".join(cost.includes),
            "yes" if cost.cashable else "no",
        )
    out.print(table)
    if found.deflator is None:
        out.print("no deflator: costs cannot be carried to another year")


def _said(amount: Decimal) -> str:
    return f"£{amount:,}"
