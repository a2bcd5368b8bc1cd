"""A data folder and what is in it: ``dataset.yaml``, in the folder or shipped under its name."""

from datetime import date
from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import Field

from governance.canonical import Frozen
from partner_agent.extracts.mapping import SourceMapping
from partner_agent.extracts.reader import open_extract
from partner_agent.extracts.yaml_file import read_yaml

SHIPPED = Path(__file__).parent.parent / "datasets"


class SourceFile(Frozen):
    """One source: its file, and its mapping in the project's own terms."""

    file: str
    mapping: SourceMapping


class Task(Frozen):
    """Sources to be linked, and in what sense."""

    kind: str = Field(pattern="^(one_to_one|persons)$")
    sources: Annotated[tuple[str, ...], Field(min_length=1)]


class Truth(Frozen):
    """Files with ``source, record_id, person_id`` and, where known, groups of persons."""

    records: Annotated[tuple[str, ...], Field(min_length=1)]
    home: str | None = None  # its column of the address that a record means
    persons: str | None = None  # person_id, household_id, family_id
    household: str | None = None  # its column
    family: str | None = None


class Dataset(Frozen):
    """What ``dataset.yaml`` says."""

    name: str
    today: str  # ISO date; ages and the future count from it
    sources: dict[str, SourceFile]
    uprn: str | None = None  # reference addresses, with AddressBase Plus columns
    truth: Truth
    tasks: tuple[Task, ...]

    @property
    def day(self) -> date:
        """``today`` as a date."""
        return date.fromisoformat(self.today)


def load_dataset(folder: Path) -> Dataset:
    """The description of a folder: its own, else the one shipped under its name.

    Raises:
        FileNotFoundError: neither is there.
    """
    for path in (folder / "dataset.yaml", SHIPPED / f"{folder.resolve().name}.yaml"):
        if path.exists():
            return Dataset.model_validate(read_yaml(path))
    raise FileNotFoundError(f"{folder} has no dataset.yaml, and none is shipped for its name")


def read_raw(folder: Path, dataset: Dataset, name: str) -> pd.DataFrame:
    """A source as its file has it, read as the agent reads it; the index is the row's number."""
    source = dataset.sources[name]
    chunks = list(open_extract(folder / source.file, sheet=source.mapping.sheet))
    return pd.concat([chunk.table.set_axis(chunk.rows, axis=0) for chunk in chunks])


def read_truth(folder: Path, dataset: Dataset) -> pd.DataFrame:
    """Truth by record: source, record_id, person_id; home, household, family where known."""
    sources = list(dataset.sources)
    parts = []
    for at, name in enumerate(dataset.truth.records):
        part = pd.read_csv(folder / name, dtype=str, keep_default_na=False)
        if "source" not in part:  # one truth file a source, in their order
            part["source"] = sources[at]
        parts.append(part)
    records = pd.concat(parts)
    records["home"] = records[dataset.truth.home] if dataset.truth.home is not None else ""
    records = records[["source", "record_id", "person_id", "home"]]
    if dataset.truth.persons is None:
        return records
    people = pd.read_csv(folder / dataset.truth.persons, dtype=str, keep_default_na=False)
    found = people[["person_id"]].copy()
    for name, column in (
        ("household", dataset.truth.household),
        ("family", dataset.truth.family),
    ):
        if column is not None:
            found[name] = people[column]
    return records.merge(found, on="person_id", how="left")
