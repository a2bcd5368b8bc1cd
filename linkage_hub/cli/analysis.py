"""``linkage-hub sources``, and those commands of ``linkage-hub runs`` that look into a run."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from governance.exchange.analysis_api import (
    PAGE,
    PAGE_MOST,
    FreshnessList,
    LinkageEffects,
    PersonList,
    PersonView,
    RunComparison,
    ThresholdTable,
    UnlinkedList,
)
from governance.terminal import terminal
from linkage_hub.cli.runs import NOT_TOLD, As, Passphrase, Url, app, client_of
from linkage_hub.quality.render import EFFECTS_EXPLAINED, name_of_effect, share_text

__all__ = ["app", "sources"]

Run = Annotated[str, typer.Argument(help="id of the run")]
Offset = Annotated[int, typer.Option(min=0, help="lines to pass over")]
Limit = Annotated[int, typer.Option(min=1, max=PAGE_MOST, help="lines to show")]


@app.command()
def thresholds(
    context: typer.Context, run: Run, hub: Url, as_: As, passphrase_file: Passphrase = None
) -> None:
    """What a run would have found, had pairs been matches from another probability on."""
    with client_of(hub, as_, passphrase_file) as client:
        found = client.thresholds(run)
    terminal(context).result(
        found.model_dump(mode="json"), lambda out: _show_thresholds(found, out)
    )


@app.command()
def effects(
    context: typer.Context, run: Run, hub: Url, as_: As, passphrase_file: Passphrase = None
) -> None:
    """What false and missed links do to a run's figures, each with its interval."""
    with client_of(hub, as_, passphrase_file) as client:
        found = client.effects(run)
    terminal(context).result(found.model_dump(mode="json"), lambda out: _show_effects(found, out))


@app.command()
def compare(
    context: typer.Context,
    run: Run,
    other: Annotated[str, typer.Argument(help="id of another run of the same agreement")],
    hub: Url,
    as_: As,
    offset: Offset = 0,
    limit: Limit = PAGE,
    passphrase_file: Passphrase = None,
) -> None:
    """Two runs side by side: figures, sources, and what became of persons and families."""
    with client_of(hub, as_, passphrase_file) as client:
        found = client.compare(run, other, offset, limit)
    terminal(context).result(
        found.model_dump(mode="json"), lambda out: _show_comparison(found, out)
    )


@app.command()
def persons(
    context: typer.Context,
    run: Run,
    hub: Url,
    as_: As,
    offset: Offset = 0,
    limit: Limit = PAGE,
    passphrase_file: Passphrase = None,
) -> None:
    """Persons of a run, those with most records first."""
    with client_of(hub, as_, passphrase_file) as client:
        found = client.persons(run, offset, limit)
    screen = terminal(context)
    screen.result(found.model_dump(mode="json"), lambda out: _show_persons(found, out))
    if found.persons:
        screen.hint(f"linkage-hub runs person {run} {found.persons[0].person}")


@app.command()
def person(
    context: typer.Context,
    run: Run,
    person: Annotated[str, typer.Argument(help="id of the person, p-...")],
    hub: Url,
    as_: As,
    passphrase_file: Passphrase = None,
) -> None:
    """One person: its records, what holds them together, and who is near."""
    with client_of(hub, as_, passphrase_file) as client:
        found = client.person(run, person)
    terminal(context).result(found.model_dump(mode="json"), lambda out: _show_person(found, out))


@app.command()
def unlinked(
    context: typer.Context,
    run: Run,
    hub: Url,
    as_: As,
    offset: Offset = 0,
    limit: Limit = PAGE,
    passphrase_file: Passphrase = None,
) -> None:
    """Records that a run joined to no other, by source and by what stood in the way."""
    with client_of(hub, as_, passphrase_file) as client:
        found = client.unlinked(run, offset, limit)
    terminal(context).result(found.model_dump(mode="json"), lambda out: _show_unlinked(found, out))


def sources(
    context: typer.Context,
    hub: Url,
    as_: As,
    agreement: Annotated[str, typer.Option("--agreement", help="hash, sha256:...")],
    passphrase_file: Passphrase = None,
) -> None:
    """How fresh each source of an agreement is."""
    with client_of(hub, as_, passphrase_file) as client:
        found = client.freshness(agreement)
    terminal(context).result(found.model_dump(mode="json"), lambda out: _show_sources(found, out))


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _count(value: int | None) -> str:
    return "few" if value is None else f"{value:,}"


def _told(value: int | None) -> str:
    return NOT_TOLD if value is None else f"{value:,}"


def _show_thresholds(found: ThresholdTable, out: Console) -> None:
    table = Table(
        "from", "persons", "joined", "parted", "links", "precision", "recall", "touched", "flagged"
    )
    for row in found.rows:
        table.add_row(
            f"{row.threshold:.2f}{'*' if row.own else ''}",
            *(f"{count:,}" for count in (row.persons, row.joined, row.parted, row.links)),
            _share(row.estimated_precision), _share(row.estimated_recall),
            f"{row.families_touched:,}", _told(row.flagged_touched),
        )  # fmt: skip
    out.print(table)
    out.print(
        f"* is the run's own; it has {found.families:,} families, put forward: "
        f"{_told(found.flagged)}. touched and flagged: families, and those put forward, with a "
        "member whose records would change. Precision and recall are estimates made without truth"
    )


def _show_effects(found: LinkageEffects, out: Console) -> None:
    table = Table("figure", "found", "without errors", "95 %", "false links", "missed links")
    for row in found.rows:
        if row.found is not None:
            table.add_row(
                name_of_effect(row), f"{row.found:,}", f"{row.value:,}",
                f"{row.low:,} to {row.high:,}", f"{row.false_links:+,}", f"{row.missed_links:+,}",
            )  # fmt: skip
    out.print(table)
    hidden = sum(row.found is None for row in found.rows)
    out.print(f"{hidden} figures are too small to be shown")
    out.print(EFFECTS_EXPLAINED.format(
        draws=found.draws, precision=share_text(found.precision), recall=share_text(found.recall)
    ))  # fmt: skip


def _show_comparison(found: RunComparison, out: Console) -> None:
    table = Table("", "older", "newer")
    for name in (
        "id", "finished", "mode", "solver", "questions", "records", "persons", "families",
        "flagged", "threshold", "estimated_precision", "estimated_recall", "pairs_asked",
        "pairs_answered", "rulings",
    ):  # fmt: skip
        both = [getattr(run, name) for run in (found.older, found.newer)]
        none = NOT_TOLD if name == "flagged" else ""
        words = [none if each is None else str(each) for each in both]
        table.add_row(name.replace("_", " "), *words)
    out.print(table)
    for name, changes in (("persons", found.persons), ("families", found.families)):
        if changes is None:
            out.print(f"{name}: the results of one of the runs gave way to newer ones")
            continue
        counts = ", ".join(f"{count:,} {kind}" for kind, count in changes.model_dump().items())
        out.print(f"{name}: {counts}")
    changed = [f"{each.party}/{each.source}" for each in found.sources if each.changed]
    out.print(f"sources that changed: {', '.join(changed) or 'none'}")
    for each in found.changed:
        out.print(f"{each.person} {each.kind}: {', '.join(each.others)}")
    out.print(f"{len(found.changed)} of {found.total} persons that were merged or split")


def _show_persons(found: PersonList, out: Console) -> None:
    table = Table("person", "records", "sources")
    for each in found.persons:
        table.add_row(each.person, str(each.records), str(each.sources))
    out.print(table)
    out.print(f"{len(found.persons)} of {found.total:,}")


def _show_person(found: PersonView, out: Console) -> None:
    records = Table("record", "party", "source")
    for record in found.records:
        records.add_row(record.handle, record.party, record.source)
    out.print(records)
    links = Table("left", "right", "similarity", "probability")
    for link in found.links:
        links.add_row(link.left, link.right, _share(link.similarity), _share(link.probability))
    out.print(links)
    if found.weakest is not None:
        out.print(f"it hangs together by a pair of probability {found.weakest.probability:.2f}")
    if found.unsupported:
        out.print(f"{len(found.unsupported)} records are tied to the others by no pair")
    near = Table("record", "is like", "of", "source", "probability")
    for other in found.near:
        near.add_row(
            other.own, other.other, other.other_person, other.other_source,
            _share(other.probability),
        )  # fmt: skip
    out.print(near)
    for ruling in found.rulings:
        word = "one person" if ruling.same else "two"
        out.print(f"ruled by {ruling.party}: {ruling.left} and {ruling.right} are {word}")
    out.print(f"families: {', '.join(found.families) or 'none'}")


def _show_unlinked(found: UnlinkedList, out: Console) -> None:
    table = Table(
        Column("source", no_wrap=True), "records", "alone", "namesakes", "few fields",
        "no birth date", "in doubt", "rejected", "said no",
    )  # fmt: skip
    for each in found.sources:
        barriers = each.barriers
        table.add_row(
            each.source, f"{each.records:,}", f"{each.alone:,}",
            *(
                str(barriers.get(name, 0))
                for name in ("namesakes", "few_fields", "no_birth_date", "in_doubt")
            ),
            f"{each.rejected:,}", _count(each.opted_out),
        )  # fmt: skip
    out.print(table)
    for record in found.records:
        out.print(f"{record.handle} {record.party}/{record.source} {record.barrier}")
    out.print(f"{len(found.records)} of {found.total:,} records with something in the way")
    out.print("few: none, or too few people who are held back to be shown; more are rounded")


def _show_sources(found: FreshnessList, out: Console) -> None:
    table = Table(
        Column("source", no_wrap=True), "extracted", "days old", "records", "in the run",
        "kept until", "refused", "replaced", "refused since",
    )  # fmt: skip
    for each in found.sources:
        table.add_row(
            each.source, each.extracted_on or ("no day" if each.submission else "nothing"),
            "" if each.age_days is None else str(each.age_days),
            "" if each.records is None else f"{each.records:,}",
            "yes" if each.in_current_run else "no", (each.kept_until or "")[:10],
            str(each.refused), str(each.replaced), each.last_refusal or "",
        )  # fmt: skip
    out.print(table)
