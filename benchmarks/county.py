"""``python -m benchmarks.county DIR``: describe a synthetic county for ``benchmarks.quality``.

``examples.county.generate`` writes the county; this adds ``dataset.yaml`` beside it, so that all
twenty sources are linked and judged in one process, without agents, hub or network.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from benchmarks.quality.dataset import Dataset
from examples.county.model import EPOCH, REFERENCE
from examples.county.sources.catalogue import SOURCES
from partner_agent.extracts.mapping import SourceMapping
from partner_agent.extracts.yaml_file import read_yaml


def describe(county: Path) -> Dataset:
    """The description of a county's folder: every source, and all of them as one task.

    Raises:
        FileNotFoundError: a source's extract or mapping is not there.
    """
    sources: dict[str, Any] = {}
    for source in SOURCES:
        folder = county / "partners" / source.partner
        files = [path for path in folder.glob(f"{source.name}.*") if path.suffix != ".yaml"]
        if not files:
            raise FileNotFoundError(f"{folder} holds no extract of {source.name}")
        mapping = SourceMapping.model_validate(read_yaml(folder / f"{source.name}.yaml"))
        sources[source.name] = {
            "file": files[0].relative_to(county).as_posix(),
            "mapping": mapping.model_dump(mode="json", exclude_defaults=True),
        }
    return Dataset.model_validate(
        {
            "name": f"synthetic county, {county.resolve().name}",
            "today": (EPOCH + timedelta(days=REFERENCE)).isoformat(),
            "sources": sources,
            "uprn": "uprn/addressbase_plus.csv",
            "truth": {
                "records": ["truth/records.csv"],
                "home": "uprn",
                "persons": "truth/persons.csv",
                "household": "household_id",
                "family": "family_id",
            },
            "tasks": [{"kind": "persons", "sources": list(sources)}],
        }
    )


def main(county: Annotated[Path, typer.Argument(help="folder that the generator wrote")]) -> None:
    """Write ``dataset.yaml`` into the folder of a county."""
    found = describe(county).model_dump(mode="json", exclude_defaults=True)
    (county / "dataset.yaml").write_text(yaml.safe_dump(found, sort_keys=False), "utf-8")
    print(f"python -m benchmarks.quality --data {county}")


if __name__ == "__main__":
    typer.run(main)
