"""``linkage-hub engagement``: how long families take to make progress.

Rules: for an agreement in force that allows analysis; tables have their provenance checked; the
number of needs is what figures rest on unless a private model is given, which is paid for before it
is trained. Lists are for professional consideration, and decide nothing.
"""

import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from governance.agreements.privacy import LEAST_EPSILON, MOST_EPSILON
from governance.canonical import canonical_bytes, hash_of
from governance.terminal import terminal, write_bytes
from governance.transparency.code import installed
from linkage_hub.analytics.edited import read_edited
from linkage_hub.analytics.engagement.candidates import Listed, short_term, unlikely
from linkage_hub.analytics.engagement.chances import HORIZONS, Chances, ModelChances, NeedsTable
from linkage_hub.analytics.engagement.document import document_of
from linkage_hub.analytics.engagement.documents import OUTCOME, HazardDocument, read_hazard
from linkage_hub.analytics.engagement.hazard import ProgressRule
from linkage_hub.analytics.engagement.published import population_of, published
from linkage_hub.analytics.engagement.report import report_of
from linkage_hub.analytics.engagement.spells import (
    Spells,
    in_order_of,
    read_spells,
    spells_bytes,
    spells_of,
    with_teams,
)
from linkage_hub.analytics.exported import read_families
from linkage_hub.analytics.outcomes.errors import NotATable
from linkage_hub.analytics.outcomes.months import month_of, text_of
from linkage_hub.analytics.outcomes.panel import proved
from linkage_hub.analytics.outcomes.provenance import TableProvenance, read_provenance
from linkage_hub.analytics.provenance import file_hash
from linkage_hub.analytics.risk.documents import Privacy
from linkage_hub.analytics.risk.errors import PackagesMissing, TooFewFamilies
from linkage_hub.cli.outcomes import (
    Allowed,
    Elsewhere,
    Resolve,
    Runs,
    Terms,
    allowed,
    month_option,
    panel_from,
    publish,
    write_table,
)
from linkage_hub.cli.report_files import write_report
from linkage_hub.cli.risk import DELTA

app = typer.Typer(no_args_is_help=True, help="How long families take to make progress.")
LEAST_FAMILIES: Final = 10_000
"""Below, a private model orders families hardly better than their number of needs does."""
Table = Annotated[Path, typer.Argument(help="a table that engagement history has written")]
Model = Annotated[Path | None, typer.Option(help="a model; without it, the number of needs")]


@app.command()
def history(
    context: typer.Context,
    runs: Runs,
    agreement: Terms,
    out: Annotated[Path, typer.Option(help="a .csv file for the table")],
    progress: Resolve = "every",
    stays: Annotated[int, typer.Option(min=0, max=24, help="months it has to last")] = 0,
) -> None:
    """Write families in the programme, when they joined and when progress was known."""
    with allowed(context, agreement) as by:
        panel, sources = panel_from(by, runs)
        spells, left_out = spells_of(panel, every=progress == "every", stays=stays)
        data = spells_bytes(spells)
        write_table(by, out, data, "spells", sources, progress, stays, left_out)
    screen = terminal(context)
    made = int(spells.times.event.sum())
    screen.result(
        {"table": str(out), "families": len(spells), "progressed": made, "left_out": left_out},
        lambda console: console.print(
            f"{len(spells):,} families, {made:,} with progress; left out: "
            + ", ".join(f"{count:,} {why}" for why, count in left_out.items()),
            highlight=False,
        ),
    )
    screen.hint(f"linkage-hub engagement report {out} --agreement {agreement} --out FOLDER")


@app.command()
def report(
    context: typer.Context,
    table: Table,
    agreement: Terms,
    out: Annotated[
        Path, typer.Option(help="folder for engagement.json, .html, .pdf, .xlsx and .csv")
    ],
    model: Model = None,
    split: Annotated[
        str | None, typer.Option(help="month: figures are learnt up to it and measured after")
    ] = None,
    teams: Annotated[Path | None, typer.Option(help="a .csv file: family, team")] = None,
    made_elsewhere: Elsewhere = False,
) -> None:
    """Write curves of progress, how far figures hold for later families, and teams."""
    month = None if split is None else month_option(split)
    with allowed(context, agreement) as by:
        spells, source = _read(by, table, elsewhere=made_elsewhere)
        spells = spells if teams is None else with_teams(spells, teams)
        chances = None
        if model is not None:
            learnt = read_hazard(model, by.terms.hash)
            spells = in_order_of(spells, learnt.model.needs)
            month = _after(learnt, month)
            chances = ModelChances(learnt.model)
        found = report_of(
            spells, by.terms.hash, file_hash(table), source, by.terms.suppression_threshold,
            chances, month,
        )  # fmt: skip
    document = document_of(found, datetime.now(UTC).date(), installed().code)
    paths = write_report(out, "engagement", found, document)
    screen = terminal(context)
    screen.result({"files": paths}, lambda console: console.print("\n".join(paths), markup=False))
    screen.say("for staff of the agreement: engagement table writes what may be published")
    screen.hint(f"linkage-hub reports share {paths[0]} --hub URL --as FILE")


@app.command()
def lists(
    context: typer.Context,
    table: Table,
    folder: Annotated[Path, typer.Argument(help="the newest run's exported files")],
    agreement: Terms,
    out: Annotated[Path, typer.Option(help="folder for short-term.csv and longer.csv")],
    chance: Annotated[float, typer.Option(min=0, max=1, help="short-term: at least")] = 0.5,
    unlikely_at: Annotated[
        float, typer.Option("--unlikely", min=0, max=1, help="longer: at most")
    ] = 0.2,
    length: Annotated[int, typer.Option(help="of the programme: 6, 12 or 18 months")] = 12,
    model: Model = None,
    made_elsewhere: Elsewhere = False,
) -> None:
    """Write families that a short-term team may suit, and those that may need longer."""
    if length not in HORIZONS:
        raise typer.BadParameter("--length: expected 6, 12 or 18 months")
    with allowed(context, agreement) as by:
        spells, _ = _read(by, table, elsewhere=made_elsewhere)
        proved(folder, by.belongs)
        chances: Chances
        if model is not None:
            document = read_hazard(model, by.terms.hash)
            spells = in_order_of(spells, document.model.needs)
            chances = ModelChances(document.model)
        else:
            chances = NeedsTable(spells)
        families = read_families(folder, spells.needs)
        found = {
            "short-term": short_term(families, chances, by.terms.minimum_needs, chance),
            "longer": unlikely(spells, chances, length, unlikely_at),
        }
    for name, each in found.items():
        write_bytes(out / f"{name}.csv", each.as_csv())
    screen = terminal(context)
    screen.result(
        {name: _counts(each) for name, each in found.items()},
        lambda console: console.print(
            "\n".join(
                f"{name}: {len(each.rows):,} of {each.considered:,} families, no figure for "
                f"{each.without:,}" for name, each in found.items()
            ), highlight=False,
        ),
    )  # fmt: skip
    screen.say("for professional consideration: pseudonyms and needs are personal data")


@app.command()
def table(
    context: typer.Context,
    table: Table,
    agreement: Terms,
    out: Annotated[Path, typer.Option(help="a .csv file for the table")],
) -> None:
    """Write the table that may be published, with small numbers hidden and the rest rounded."""
    with allowed(context, agreement) as by:
        source = read_provenance(table, "spells", by.belongs)
        population = population_of(source)
        spells, threshold = _spells(by, table), by.terms.suppression_threshold
        publish(
            context, by, out, population, source,
            lambda register: published(spells, population, threshold, register),
        )  # fmt: skip


@app.command()
def train(
    context: typer.Context,
    table: Table,
    agreement: Terms,
    rule: Annotated[Path, typer.Option(help="needs, chance_in_a_year, mean_needs, mean_unknown")],
    until: Annotated[str, typer.Option(help="month: nothing later is learnt from")],
    out: Annotated[Path, typer.Option(help="a .json file for the model")],
    epsilon: Annotated[float, typer.Option(min=LEAST_EPSILON, max=MOST_EPSILON)] = 1.0,
) -> None:
    """Train a private model once, for what it costs; the cost stays whatever becomes of it."""
    month = month_option(until)
    public = read_edited(rule, ProgressRule)
    with allowed(context, agreement) as by:
        read_provenance(table, "spells", by.belongs)
        spells = _spells(by, table)
        early = in_order_of(spells, public.needs).as_known(month)
        if len(early) < LEAST_FAMILIES:
            raise TooFewFamilies(
                f"{len(early):,} families to learn from: expected {LEAST_FAMILIES:,} or more",
                next_step="linkage-hub engagement report, which needs no model",
            )
        document = _trained(by, early, public, text_of(month), epsilon)
    write_bytes(out, canonical_bytes(document))
    terminal(context).result(
        {"model": hash_of(document), **document.model_dump(mode="json")},
        lambda console: console.print(
            f"model {hash_of(document)[:19]} of {document.families:,} families, epsilon "
            f"{document.privacy.epsilon:g}", highlight=False,
        ),
    )  # fmt: skip


def _read(by: Allowed, table: Path, *, elsewhere: bool) -> tuple[Spells, TableProvenance | None]:
    source = None if elsewhere else read_provenance(table, "spells", by.belongs)
    return _spells(by, table), source


def _spells(by: Allowed, table: Path) -> Spells:
    """A table of families in the programme whose needs are the agreement's."""
    spells = read_spells(table)
    if set(spells.needs) - set(by.terms.needs):
        raise NotATable(f"{table.name}: needs that the agreement does not declare")
    return spells


def _after(document: HazardDocument, split: int | None) -> int:
    """The month to measure a model from: not before what it learnt from ends."""
    until = month_of(document.until)
    if until is None or (split is not None and split < until):
        raise typer.BadParameter(f"the model learnt from what was known by {document.until}")
    return until if split is None else split


def _counts(found: Listed) -> dict[str, int]:
    return {"families": len(found.rows), "of": found.considered, "without": found.without}


def _trained(
    by: Allowed, spells: Spells, rule: ProgressRule, until: str, epsilon: float
) -> HazardDocument:
    """Pay, then train: the noise is known before, and both accountants have agreed on its cost."""
    if importlib.util.find_spec("opacus") is None:
        raise PackagesMissing("private models need packages of their own", next_step="make dp")
    from linkage_hub.analytics.risk.private.accounting import (  # noqa: PLC0415 - only here
        cost_of,
        noise_for,
    )
    from linkage_hub.analytics.risk.private.hazard import train_hazard  # noqa: PLC0415
    from linkage_hub.analytics.risk.private.randomness import SystemRandomness  # noqa: PLC0415
    from linkage_hub.analytics.risk.private.training import (  # noqa: PLC0415
        CLIP,
        STEPS,
        Guarantee,
    )

    cost = cost_of(noise_for(epsilon, DELTA, STEPS), STEPS, DELTA)
    by.hub.epsilon.spend(by.terms.hash, OUTCOME, max(epsilon, cost.epsilon), DELTA)
    model, noise, spent = train_hazard(spells, rule, Guarantee(epsilon, DELTA), SystemRandomness())
    return HazardDocument(
        model=model,
        agreement=by.terms.hash,
        until=until,
        families=len(spells),
        privacy=Privacy(
            epsilon=epsilon,
            delta=DELTA,
            opacus=spent.opacus,
            dp_accounting=spent.dp_accounting,
            noise=noise,
            clip=CLIP,
            steps=STEPS,
            randomness="operating system",
        ),
    )
