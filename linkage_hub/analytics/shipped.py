"""Catalogues by name: those that come with the program, or a file of one's own."""

from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from governance.terminal import read_bytes
from linkage_hub.analytics.edited import parse_edited

Edited = TypeVar("Edited", bound=BaseModel)


def names_in(package: str) -> list[str]:
    """Names of the catalogues that a package ships."""
    folder = files(package) / "catalogues"
    return sorted(each.name.removesuffix(".yaml") for each in folder.iterdir())


def read_catalogue(name: str, package: str, model: type[Edited]) -> Edited:
    """A catalogue by its path, or by the name of one that is shipped.

    Raises:
        FileNotUsable: it has faults.
        FileProblem: there is no such file.
    """
    if name in names_in(package):
        shipped = files(package) / "catalogues" / f"{name}.yaml"
        return parse_edited(shipped.read_bytes(), model, name)
    return parse_edited(read_bytes(Path(name)), model, Path(name).name)
