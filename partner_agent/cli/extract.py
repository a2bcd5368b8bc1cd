"""``profile`` and ``prepare``."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from governance.agreements.policy import Standing
from governance.terminal import FileProblem
from partner_agent.app import Agent
from partner_agent.cleansing.profile import ExtractProfile
from partner_agent.cleansing.profile import profile as profile_extract
from partner_agent.cleansing.uprn import UprnIndex
from partner_agent.cli.context import Session, agent_of, session
from partner_agent.encoding.likeness import too_alike
from partner_agent.extracts.mapping import SourceMapping, load_mapping
from partner_agent.steps.extracts import agreed_only, may_prepare, prepare_file


def profile(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV, XLSX or Parquet")],
    mapping: Annotated[Path | None, typer.Option(help="the source's mapping")] = None,
) -> None:
    """What an extract holds: completeness and oddities by column, and a suggested mapping."""
    screen = session(context)
    found = profile_extract(file, None if mapping is None else load_mapping(mapping))
    screen.result(json.loads(found.model_dump_json()), lambda out: _show_profile(out, found))
    screen.hint(f"write the mapping to FILE.yaml, then: partner-agent prepare {file}")


def _show_profile(out: Console, found: ExtractProfile) -> None:
    out.print(f"{found.rows} rows", highlight=False)
    table = Table("column", "looks like", "complete", "distinct", "odd")
    for column in found.columns:
        odd = ", ".join(f"{kind} {count}" for kind, count in column.suspicious.items())
        table.add_row(
            column.name, column.role or "", f"{column.completeness:.0%}", str(column.distinct), odd
        )
    out.print(table)
    out.print(found.mapping_yaml, highlight=False, markup=False)


def prepare(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="one extract or several")],
    mapping: Annotated[
        Path | None, typer.Option(help="mapping; by default FILE.yaml beside each extract")
    ] = None,
    uprn: Annotated[
        Path | None, typer.Option(help="reference addresses in AddressBase Plus columns")
    ] = None,
    only_agreed: Annotated[
        bool, typer.Option(help="leave out columns that the agreement does not list")
    ] = False,
) -> None:
    """Clean and encode extracts into the outbox. Nothing leaves this machine."""
    screen = session(context)
    if mapping is not None and len(files) > 1:
        raise FileProblem("--mapping goes with one extract; put FILE.yaml beside each otherwise")
    pairs = [(file, load_mapping(mapping or file.with_suffix(".yaml"))) for file in files]
    with agent_of(context) as agent:
        if only_agreed:
            standing = agent.standing(agent.ledger.sync())
            pairs = [(file, agreed_only(standing, source)) for file, source in pairs]
        standing = may_prepare(agent, [source for _, source in pairs])
        index = None if uprn is None else UprnIndex.from_csv(uprn)
        done = [_prepare_one(screen, agent, standing, file, s, index) for file, s in pairs]
    screen.result({"prepared": done}, lambda out: _show_prepared(out, done))
    screen.hint("look at the reports, then: partner-agent submit --all")


def _prepare_one(
    screen: Session,
    agent: Agent,
    standing: Standing,
    file: Path,
    mapping: SourceMapping,
    index: UprnIndex | None,
) -> dict[str, Any]:
    with screen.progress() as bar:
        task = bar.add_task(mapping.source, total=None)
        done = prepare_file(
            agent,
            standing,
            file,
            mapping,
            uprn=index,
            progress=lambda rows: bar.update(task, completed=rows),
        )
    counts = done.manifest.counts
    return {
        "source": mapping.source,
        "id": done.manifest.id,
        **counts.model_dump(),
        "report": str(done.report_file),
        "rejects": str(done.rejects),
        "likeness": done.likeness,
    }


_SHOWN: Final = ("rows", "submitted", "rejected", "opted_out", "synthetic")


def _show_prepared(out: Console, done: list[dict[str, Any]]) -> None:
    table = Table("source", "rows", "to submit", "rejected", "opted out", "synthetic", "report")
    for item in done:
        table.add_row(
            item["source"],
            *(str(item[name]) for name in _SHOWN),
            item["report"],
        )
    out.print(table)
    for item in done:
        warning = too_alike(item["source"], item["likeness"])
        if warning is not None:
            out.print(warning)
