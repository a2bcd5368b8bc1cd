"""One county of 6,000 persons, made once for all tests of this folder."""

import csv
from pathlib import Path

import pytest

from examples.county.generate import Summary, generate


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """Its folder and its counts."""
    folder = tmp_path_factory.mktemp("county")
    return folder, generate(6000, 20261122, folder)


@pytest.fixture(scope="session")
def truth(county: tuple[Path, Summary]) -> dict[str, list[dict[str, str]]]:
    """Every truth file as rows by heading."""
    folder, _ = county
    found = {}
    for path in sorted((folder / "truth").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found[path.stem] = list(csv.DictReader(file))
    return found
