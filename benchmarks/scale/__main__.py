"""The whole job at growing sizes, and Splink on plaintext of the same county.

``python -m benchmarks.scale --records 100000 --records 1000000 [--mode fast] [--json FILE]``

Every program is a process of its own: four partners' agents, the ledger, the hub and its worker;
extracts, uploads over HTTP on loopback, databases and exports are real. The county is made first
and not counted; nor are the parties' keys and signatures.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.scale.job import Job, whole_job
from examples.county.generate import DEFAULT_SEED, generate

RECORDS_A_PERSON: Final = 1.628  # of the synthetic county
PEER_SECONDS: Final = 7_200
app = typer.Typer(add_completion=False)


@app.command()
def main(
    records: Annotated[list[int], typer.Option(help="about how many records; may be repeated")],
    mode: Annotated[list[str] | None, typer.Option(help="exact, fast or both")] = None,
    profile: Annotated[str, typer.Option(help="of encodings: clk or hardened")] = "clk",
    questions: Annotated[
        bool, typer.Option(help="let the hub ask the partners about grey pairs")
    ] = False,
    peer: Annotated[bool, typer.Option(help="run Splink beside it")] = True,
    pairs: Annotated[
        int, typer.Option(help="pairs a record that one of its blocking rules may make")
    ] = 3,
    json_file: Annotated[Path | None, typer.Option("--json", help="write figures here")] = None,
    keep: Annotated[Path | None, typer.Option(help="keep counties and sites here")] = None,
) -> None:
    """Run the job at each size and print its stages."""
    console = Console(highlight=False, soft_wrap=True)
    root = Path(tempfile.mkdtemp(prefix="hearthlink-scale-")) if keep is None else keep
    root.mkdir(parents=True, exist_ok=True)
    figures: list[dict[str, Any]] = []
    try:
        for size in records:
            county = _county(root, size, console)
            for each in mode or ["exact"]:
                site = root / f"site-{size}-{each}"
                shutil.rmtree(site, ignore_errors=True)
                began = time.monotonic()

                def say(words: str, began: float = began) -> None:
                    console.print(f"  {time.monotonic() - began:6.0f} s  {words}", style="dim")

                job = whole_job(site, county, each, profile, questions=questions, say=say)
                _show(console, job)
                figures.append({"system": "hearthlink", **asdict(job), "total": job.total})
                if keep is None:
                    shutil.rmtree(site, ignore_errors=True)
            if peer:
                found = _peer(county, root / f"splink-{size}.parquet", pairs)
                _show_peer(console, found)
                figures.append({"system": "splink", **found})
            if json_file is not None:
                json_file.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    finally:
        if keep is None:
            shutil.rmtree(root, ignore_errors=True)


def _county(root: Path, records: int, console: Console) -> Path:
    folder = root / f"county-{records}"
    if not (folder / "summary.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        made = generate(round(records / RECORDS_A_PERSON), DEFAULT_SEED, folder)
        console.print(f"a county of {made.persons} people, {made.records} rows in 20 sources")
    return folder


def _peer(county: Path, rows: Path, pairs: int) -> dict[str, Any]:
    """Splink's figures; ``rows`` is written if it is not there."""
    words = (sys.executable, "-W", "ignore", "-m", "benchmarks.scale.splink_peer")
    if not rows.exists():
        subprocess.run([*words, "clean", str(county), str(rows)], check=True)
    done = subprocess.run(
        [*words, "link", str(rows), "--pairs", str(pairs)],
        capture_output=True,
        text=True,
        timeout=PEER_SECONDS,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _show_peer(console: Console, found: dict[str, Any]) -> None:
    title = f"Splink on plaintext, {found['records']} records, {found['rules']} blocking rules"
    table = Table("stage", "seconds", "processor", title=title)
    for name, seconds in found["wall"].items():
        table.add_row(name, f"{seconds:.1f}", f"{found['processor'][name]:.1f}")
    table.add_row("all", f"{found['wall_all']:.1f}", f"{found['processor_all']:.1f}")
    console.print(table)
    left_out = "; ".join(found["rules_left_out"])
    console.print(f"most memory: {found['peak_mb']} MB; rules left out: {left_out}")
    console.print(f"person pairs: {json.dumps(found['quality'])}")


def _show(console: Console, job: Job) -> None:
    table = Table("stage", "seconds", "processor", title=f"{job.records} records, {job.mode}")
    for name, seconds in job.seconds.items():
        table.add_row(name, f"{seconds:.1f}", f"{job.processor[name]:.1f}")
    table.add_row("all", f"{job.total:.1f}", f"{sum(job.processor.values()):.1f}")
    console.print(table)
    steps = Table("step of the hub's worker", "seconds", "processor", "hub, MB")
    for name, seconds in job.steps.items():
        used, held = job.step_processor.get(name, 0.0), job.hub_by_step.get(name, "")
        steps.add_row(name, f"{seconds:.1f}", f"{used:.1f}", str(held))
    console.print(steps)
    console.print(f"memory, MB: {job.megabytes}; {json.dumps(job.figures)}")


if __name__ == "__main__":
    app()
