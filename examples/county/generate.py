"""Make the county: ``python -m examples.county.generate --persons 6000 --seed 1 --out DIR``."""

import csv
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.progress import Progress

from examples.county.addressbase import write_addressbase
from examples.county.canaries import FAMILIES, needles
from examples.county.model import Population
from examples.county.outcomes import CONSENT_COLUMNS, consent_rows, decide, programme_rows
from examples.county.population import make_population
from examples.county.records import Records
from examples.county.sources.catalogue import PARTNERS, SOURCES
from examples.county.sources.render import render
from examples.county.sources.selection import Pick, select
from examples.county.truth import RECORD_COLUMNS, family_id, person_id, record_rows, write_truth
from examples.county.writers import write_csv, write_extract, write_json

DEFAULT_PERSONS = 6000
DEFAULT_SEED = 20261122
MIN_NEEDS = 2
Step = Callable[[str], None]


@dataclass(frozen=True)
class Summary:
    """Counts of a county that was made."""

    persons: int
    families: int
    current_families: int
    addresses: int
    records: int
    records_by_source: dict[str, int]
    families_with_needs: int  # at least two true needs, living in the county still
    flagged_families: int  # at least two recorded needs, living in the county still
    in_programme: int
    families_asked: dict[str, int]  # by decision
    consents: dict[str, int]  # rows by partner
    truth: dict[str, int]  # rows by file
    opted_out: int
    protected: int
    seed: int


def _quiet(_step: str) -> None:
    pass


def generate(
    persons: int = DEFAULT_PERSONS,
    seed: int = DEFAULT_SEED,
    out: Path = Path("county"),
    *,
    step: Step = _quiet,
) -> Summary:
    """Write a county of ``persons`` people into ``out`` and return its counts.

    The same arguments give the same bytes, but for XLSX, which holds the time of writing.
    ``step`` is told what is being written.

    Raises:
        ValueError: fewer than 200 persons, or more than identifiers exist for (about 900,000).
    """
    step("people and homes")
    population = make_population(persons, seed)
    picks = select(population, SOURCES, seed)
    records = _write_extracts(population, picks, seed, out, step)
    step("outcomes")
    outcomes = decide(population, records, seed)
    consents = consent_rows(population, records, outcomes, seed)
    for partner in PARTNERS:
        write_csv(out / "partners" / partner / "consents.csv", CONSENT_COLUMNS, consents[partner])
    programme = programme_rows(population, records, outcomes, seed)
    columns = ("source", "record_id", "started", "status")
    write_csv(out / "programme.csv", columns, programme)
    write_addressbase(out / "uprn" / "addressbase_plus.csv", population, seed)
    step("truth")
    truth = write_truth(out / "truth", population, records, outcomes, seed)
    summary = Summary(
        persons=len(population),
        families=len(population.units),
        current_families=int(outcomes.current.sum()),
        addresses=len(population.dwellings),
        records=len(records),
        records_by_source={
            source.name: len(rows)
            for source, rows in zip(records.sources, records.persons, strict=True)
        },
        families_with_needs=int((outcomes.current & (outcomes.needs >= MIN_NEEDS)).sum()),
        flagged_families=int((outcomes.current & (outcomes.recorded >= MIN_NEEDS)).sum()),
        in_programme=int(outcomes.in_programme.sum()),
        families_asked={
            decision: list(outcomes.asked.values()).count(decision)
            for decision in sorted(set(outcomes.asked.values()))
        },
        consents={partner: len(rows) for partner, rows in consents.items()},
        truth={"records": len(records), **truth},
        opted_out=int(population.opted_out.sum()),
        protected=int(population.protected.sum()),
        seed=seed,
    )
    write_json(out / "canaries.json", _canaries(population))
    write_json(out / "summary.json", asdict(summary))
    (out / "README.md").write_text(_readme(summary), encoding="utf-8")
    return summary


def _write_extracts(
    population: Population, picks: dict[str, Pick], seed: int, out: Path, step: Step
) -> Records:
    """Write source after source, so that one at a time is held as text."""
    records = Records()
    ids = np.array([person_id(i) for i in range(len(population))], dtype=object)
    path = out / "truth" / "records.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(RECORD_COLUMNS)
        for source in SOURCES:
            step(f"{source.partner}/{source.name}")
            extract = render(population, source, picks[source.name], seed)
            write_extract(out / "partners", extract)
            writer.writerows(record_rows(extract, ids))
            records.add(population, extract)
    return records


def _canaries(population: Population) -> dict[str, object]:
    rows = population.canaries.tolist()
    families = []
    for family in FAMILIES:
        members, rows = rows[: len(family.people)], rows[len(family.people) :]
        families.append(
            {
                "family_id": family_id(int(population.unit[members[0]])),
                "surname": family.surname,
                "consents": family.consents,
                "hidden": family.hidden,
                "people": [
                    {"person_id": person_id(row), "given": person.given}
                    for row, person in zip(members, family.people, strict=True)
                ],
            }
        )
    return {"needles": needles(population), "families": families}


def _readme(summary: Summary) -> str:
    return f"""# A synthetic county

{summary.persons:,} invented persons in {summary.families:,} families at {summary.addresses:,}
addresses, {summary.records:,} records in {len(summary.records_by_source)} sources; seed
{summary.seed}. No one in it exists. What it models and what it does not:
`examples/county/README.md` of the project.

- `partners/<partner>/<source>.*`: extracts, each with its mapping (`.yaml`)
- `partners/<partner>/consents.csv`: answers of people whom that partner met
- `uprn/addressbase_plus.csv`: reference addresses
- `programme.csv`: the council's records of families already in the programme
- `truth/`: who is who; never shown to the programs
- `canaries.json`: strings that must not occur outside the extracts and the truth
- `summary.json`: counts
"""


app = typer.Typer(add_completion=False)


@app.command()
def main(
    out: Annotated[Path, typer.Option(help="Folder to write into.")],
    persons: Annotated[int, typer.Option(min=200, help="How many people.")] = DEFAULT_PERSONS,
    seed: Annotated[int, typer.Option(help="Same seed, same county.")] = DEFAULT_SEED,
) -> None:
    """Make a synthetic county with ground truth."""
    if sys.stderr.isatty():
        with Progress(transient=True) as progress:
            task = progress.add_task("county", total=len(SOURCES) + 3)

            def step(what: str) -> None:
                progress.update(task, advance=1, description=what)

            summary = generate(persons, seed, out, step=step)
    else:
        summary = generate(persons, seed, out)
    print(
        f"{summary.persons:,} persons, {summary.families:,} families, "
        f"{summary.addresses:,} addresses, {summary.records:,} records in {out}"
    )


if __name__ == "__main__":
    app()
