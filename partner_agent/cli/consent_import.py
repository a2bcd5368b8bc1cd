"""``consent import``."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from governance.canonical import sha256
from governance.errors import ReasonedError
from governance.terminal import read_bytes
from partner_agent.app import Agent
from partner_agent.cleansing.rejects import RejectsWriter, rejects_file
from partner_agent.cli.context import Session, agent_of, session
from partner_agent.consent_import.desk import Imported
from partner_agent.consent_import.mapping import (
    ConsentMapping,
    load_consent_mapping,
    our_columns,
)
from partner_agent.consent_import.rows import Decision, RowReader
from partner_agent.consents import consent_template
from partner_agent.extracts.reader import open_extract
from partner_agent.steps.withdrawing import cosign


def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV, XLSX or Parquet, one decision a row")],
    notice: Annotated[Path, typer.Option(help="the privacy notice that the people were shown")],
    mapping: Annotated[
        Path | None, typer.Option(help="YAML: which column is what; else its headings say it")
    ] = None,
    kind: Annotated[str, typer.Option(help="the kind to take; others are left out")] = "approach",
    dry_run: Annotated[bool, typer.Option(help="say what it would come to; store nothing")] = False,
) -> None:
    """Record many decisions from a case system; repeat it as often as you like."""
    screen = session(context)
    columns = our_columns() if mapping is None else load_consent_mapping(mapping)
    with agent_of(context) as agent:
        done, told = _import(screen, agent, file, columns, notice, kind, dry_run=dry_run)
    screen.result(told, lambda out: _show(out, told))
    if done.waiting and not dry_run:
        screen.hint("partner-agent run: hands in the rest once the ledger answers")


def _import(
    screen: Session,
    agent: Agent,
    file: Path,
    columns: ConsentMapping,
    notice: Path,
    kind: str,
    *,
    dry_run: bool,
) -> tuple[Imported, dict[str, Any]]:
    try:
        state = agent.ledger.sync()
    except ReasonedError as error:
        state = agent.ledger.state  # what is mirrored is enough to stage, and to withdraw
        screen.say(f"the ledger is away, decisions wait here: {error.message}")
    agreement = agent.standing(state).agreement
    extract = open_extract(file, sheet=columns.sheet, chunk_rows=agent.settings.chunk_rows)
    columns.check_columns(extract.columns)
    reader = RowReader(
        columns,
        agreement,
        agent.settings.party,
        consent_template(agreement, agent.settings.party, sha256(read_bytes(notice))),
        kind,
        agent.vault.find_many,
        agent.now().date(),
    )
    reports = agent.home / "reports"
    reports.mkdir(mode=0o700, parents=True, exist_ok=True)
    rejects = reports / "consents.rejects.csv"
    refused: list[tuple[int, str]] = []
    planned: list[Decision] = []
    new = known = 0
    with rejects_file(rejects, extract.columns) as writer, screen.progress() as bar:
        task = bar.add_task("reading", total=None)
        for chunk in extract:
            decisions, wrong = reader.read(chunk)
            _write(writer, refused, wrong)
            if dry_run:
                fresh = agent.imports.unknown(decisions)
                planned += fresh
                added = len(fresh)
            else:
                added = agent.imports.stage(decisions)
            new += added
            known += len(decisions) - added
            bar.advance(task, len(chunk.rows))
    if dry_run:
        done = agent.imports.rehearse(planned, state)
    else:
        with screen.progress() as bar:
            task = bar.add_task("recording", total=new)
            done = agent.imports.apply(state, lambda count: bar.advance(task, count))
        cosign(agent, screen.say)
    told = {
        **asdict(done),
        "known": known,
        "left_out": reader.left_out,
        "rejected": [
            {"row": row, "reason": reason} for row, reason in sorted([*refused, *done.refused])
        ],
        "rejects": str(rejects),
        "dry_run": dry_run,
    }
    del told["refused"]
    return done, told


def _write(writer: RejectsWriter, refused: list[tuple[int, str]], wrong: list[Any]) -> None:
    writer.write(wrong)
    refused += [(reject.row, reject.reason) for reject in wrong]


def _show(out: Console, told: dict[str, Any]) -> None:
    would = "would be " if told["dry_run"] else ""
    out.print(
        f"{would}recorded: {told['recorded']}, withdrawn: {told['withdrawn']}, "
        f"unchanged: {told['unchanged']}, imported before: {told['known']}, "
        f"of another kind: {told['left_out']}, rejected: {len(told['rejected'])}, "
        f"waiting for the ledger: {told['waiting']}",
        highlight=False,
    )
    for reason, count in Counter(item["reason"] for item in told["rejected"]).most_common():
        out.print(f"  {reason}: {count} rows", highlight=False)
    if told["rejected"]:
        out.print(f"rejected rows: {told['rejects']}", highlight=False)
