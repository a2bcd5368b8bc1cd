"""``linkage-hub catalogue``: criteria, checked and held against each other."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from governance.agreements.criteria import Criteria
from governance.agreements.files import read_agreement
from governance.canonical import hash_of
from governance.terminal import Terminal, terminal, write_bytes
from linkage_hub.analytics.criteria.agreed import require_agreed
from linkage_hub.analytics.criteria.judging import (
    Difference,
    Judged,
    difference,
    judge,
    prevalence,
)
from linkage_hub.analytics.exported import read_families
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import MET
from linkage_hub.analytics.shipped import names_in, read_catalogue

app = typer.Typer(no_args_is_help=True, help="Criteria that put families forward, as data.")
PACKAGE: Final = "linkage_hub.analytics.criteria"
Named = Annotated[
    str, typer.Argument(help="a YAML file, or the name of one that comes with the program")
]


@app.command("list")
def list_(context: typer.Context) -> None:
    """Catalogues that come with the program."""
    found = [read_catalogue(name, PACKAGE, Criteria) for name in names_in(PACKAGE)]
    data = [each.model_dump(mode="json", exclude={"needs"}) for each in found]
    terminal(context).result(data, lambda out: _show_list(found, out))


@app.command()
def check(
    context: typer.Context,
    catalogue: Named,
    agreement: Annotated[
        Path | None, typer.Option(help="agreement.yaml: which needs can be known under it")
    ] = None,
) -> None:
    """Check a catalogue; every fault is listed with its line."""
    criteria = read_catalogue(catalogue, PACKAGE, Criteria)
    held = None
    if agreement is not None:
        terms = read_agreement(agreement)
        require_agreed(criteria, terms)
        held = set(terms.needs)
    screen = terminal(context)
    needs = [
        {"need": need.id, "indicators": need.eligibility.of, "at_least": need.eligibility.at_least,
         "not_in_agreement": sorted(set(need.eligibility.of) - held) if held is not None else []}
        for need in criteria.needs
    ]  # fmt: skip
    screen.result(
        {"id": criteria.id, "hash": hash_of(criteria), "minimum": criteria.minimum, "needs": needs},
        lambda out: _show_needs(criteria, needs, out),
    )
    screen.say(f"its hash, for an agreement's criteria: {hash_of(criteria)}")
    _say_validity(screen, criteria)
    never = [
        need.id
        for need in criteria.needs
        if held is not None and not set(need.eligibility.of) & held
    ]
    if never:
        screen.say(f"no indicator of the agreement speaks of: {', '.join(never)}; always unknown")


@app.command()
def diff(
    context: typer.Context,
    first: Named,
    second: Named,
    folder: Annotated[Path, typer.Argument(help="a run's exported files")],
    out: Annotated[
        Path | None, typer.Option(help="a .csv file for families that only one puts forward")
    ] = None,
) -> None:
    """Who would be put forward under two catalogues: counts, and on request a list."""
    catalogues = [read_catalogue(name, PACKAGE, Criteria) for name in (first, second)]
    names = [name for each in catalogues for name in each.indicators]
    families = read_families(folder, list(dict.fromkeys(names)))
    judged = [judge(each, families) for each in catalogues]
    found = difference(*judged)
    if out is not None:
        write_bytes(out, _changes(found, judged, families))
    screen = terminal(context)
    screen.result(_data(found, judged), lambda console: _show(found, judged, console))
    for criteria in catalogues:
        _say_validity(screen, criteria)
    screen.say("counts are exact and include small ones: for analysts, not for publication")


def _say_validity(screen: Terminal, criteria: Criteria) -> None:
    if not criteria.holds_on(datetime.now(UTC).date()):
        until = criteria.valid_until or "further notice"
        screen.say(f"{criteria.id} is not valid today: from {criteria.valid_from} until {until}")


def _changes(found: Difference, judged: list[Judged], families: FamilyColumns) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    ids = [each.criteria.id for each in judged]
    writer.writerow(("family", "put_forward_by", *(f"needs_met {id_}" for id_ in ids)))
    for row in found.changed:
        by = ids[0] if judged[0].flagged[row] else ids[1]
        writer.writerow((families.family[row], by, *(" ".join(_met(e, row)) for e in judged)))
    return text.getvalue().encode()


def _met(judged: Judged, row: int) -> Iterator[str]:
    for at, need in enumerate(judged.criteria.needs):
        if judged.state[row, at] == MET:
            yield need.id


def _data(found: Difference, judged: list[Judged]) -> dict[str, Any]:
    return {
        "both": found.both,
        "only_first": found.only_first,
        "only_second": found.only_second,
        "neither": found.neither,
        "catalogues": [
            {
                "id": each.criteria.id,
                "flagged": int(each.flagged.sum()),
                "one_need_short": int(each.below.sum()),
                "undecided": int(each.undecided.sum()),
                "child_unknown": int(each.child_unknown.sum()),
                "needs": prevalence(each),
            }
            for each in judged
        ],
    }


def _show(found: Difference, judged: list[Judged], out: Console) -> None:
    ids = [each.criteria.id for each in judged]
    table = Table("", *ids)
    rows = {
        "put forward": [each.flagged for each in judged],
        "one need short of it": [each.below for each in judged],
        "undecided: too many needs unknown": [each.undecided for each in judged],
        "enough needs, but no child known": [each.child_unknown for each in judged],
    }
    for words, families in rows.items():
        table.add_row(words, *(f"{int(each.sum()):,}" for each in families))
    out.print(table)
    out.print(f"both {found.both:,}, only {ids[0]} {found.only_first:,}, ", end="")
    out.print(f"only {ids[1]} {found.only_second:,}, neither {found.neither:,}")


def _show_needs(criteria: Criteria, needs: list[dict[str, Any]], out: Console) -> None:
    table = Table("need", "indicators", "at least", "not in the agreement", title=criteria.title)
    for need in needs:
        missing = ", ".join(need["not_in_agreement"])
        table.add_row(need["need"], ", ".join(need["indicators"]), str(need["at_least"]), missing)
    out.print(table)
    out.print(f"{criteria.minimum} needs put a family forward; unknown is never counted as unmet")


def _show_list(found: list[Criteria], out: Console) -> None:
    table = Table("catalogue", "title", "needs", "minimum", "from", "until")
    for each in found:
        table.add_row(
            each.id, each.title, str(len(each.needs)), str(each.minimum), each.valid_from,
            each.valid_until or "",
        )  # fmt: skip
    out.print(table)
