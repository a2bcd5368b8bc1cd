"""A finished run's exported files, read back as columns.

Rules: the files are those of ``linkage-hub runs export``; a need of a family that has no row is
unknown, whoever reads it; a family of the one file is in the other; states are words of the
project. Nothing of a file's content is repeated in a message.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from governance.agreements.models import IN_PROGRAMME
from governance.canonical import Hex128, Time, parse_time
from linkage_hub.analytics.exports import QUALITY
from linkage_hub.analytics.held import FamilyColumns, untold_of
from linkage_hub.analytics.needs import STATES, UNKNOWN
from linkage_hub.errors import NotAnExport
from linkage_hub.families import columns

FAMILIES: Final = "families.csv"
NEEDS: Final = "needs.csv"
DETAILS: Final = "details.csv"
MEMBERS: Final = "members.csv"
REFERRED: Final = "referred"
_RESIDENCE: Final = "residence"
_FLAGS: Final = {"True": True, "False": False, "1": True, "0": False}
_COLUMNS: Final = {
    FAMILIES: ("family", "children", "in_programme", "is_resident", "flagged"),
    NEEDS: ("family", "need", "state"),
    DETAILS: ("family", "indicator", "state"),
    MEMBERS: ("family", "person", "is_primary"),
}


_EXPORT: Final = "linkage-hub runs export RUN " + " ".join(
    [*(f"--file {name}" for name in (FAMILIES, NEEDS, QUALITY)), "--out FOLDER"]
)


def read_families(folder: Path, needs: Sequence[str]) -> FamilyColumns:
    """Families and their needs.

    Args:
        folder: with ``families.csv`` and ``needs.csv`` of one run.
        needs: ids of the agreement's indicators; others are passed over.

    Raises:
        NotAnExport: files are missing, or are not what the hub writes.
    """
    families, said = _read(folder, FAMILIES), _read(folder, NEEDS)
    wanted = tuple(need for need in needs if need != IN_PROGRAMME)
    row = pd.Index(families["family"])
    if not row.is_unique:
        raise NotAnExport(f"{FAMILIES}: a family is there twice")
    return FamilyColumns(
        family=families["family"].to_numpy(object),
        needs=wanted,
        state=_states(row, wanted, said, NEEDS, "need"),
        children=_numbers(families, "children"),
        in_programme=_truths(families, "in_programme"),
        resident=_truths(families, "is_resident"),
        flagged=_truths(families, "flagged"),
        referred=_referred(families),
        untold=_untold(families),
    )


def read_details(
    folder: Path, families: FamilyColumns, details: Sequence[str]
) -> dict[str, NDArray[np.int8]]:
    """State of each detail, int8 (f,), in the families' order; unknown where nothing is said.

    Raises:
        NotAnExport: the file is missing, or is not what the hub writes.
    """
    wanted = tuple(details)
    found = _states(pd.Index(families.family), wanted, _read(folder, DETAILS), DETAILS, "indicator")
    return {name: found[:, at] for at, name in enumerate(wanted)}


def read_homes(folder: Path, families: FamilyColumns) -> pd.DataFrame:
    """The people by whom families are followed from run to run.

    Returns:
        Columns ``person`` (pseudonym), ``family`` (row) and ``first``: people whose first home it
        is; of a family that is nobody's, all its people, and ``first`` false.

    Raises:
        NotAnExport: the file is missing, or is not what the hub writes.
    """
    said = _read(folder, MEMBERS)
    found = followed(
        families,
        said["person"].tolist(),
        said["family"].tolist(),
        _truths(said, "is_primary").tolist(),
    )
    if found is None:
        raise NotAnExport(f"{MEMBERS}: a family that {FAMILIES} lacks, or two first homes")
    return found


def followed(
    families: FamilyColumns, person: Sequence[str], family: Sequence[str], first: Sequence[bool]
) -> pd.DataFrame | None:
    """What ``read_homes`` gives, of members in any order.

    Returns:
        None where a family is none of ``families``, or somebody has two first homes.
    """
    at = pd.Index(families.family).get_indexer(pd.Index(family, dtype=object))
    found = pd.DataFrame({"person": person, "family": at, "first": first})
    if (at < 0).any() or found[found["first"]]["person"].duplicated().any():
        return None
    held = found["family"].isin(found[found["first"]]["family"])
    return found[found["first"] | ~held]


def _states(
    row: pd.Index, wanted: tuple[str, ...], said: pd.DataFrame, name: str, column: str
) -> NDArray[np.int8]:
    """State of each family and indicator, int8 (f, k); unknown where nothing is said."""
    at = row.get_indexer(pd.Index(said["family"]))
    code = said["state"].map({word: number for number, word in enumerate(STATES)})
    if (at < 0).any() or code.isna().any():
        raise NotAnExport(
            f"{name}: a family that {FAMILIES} lacks, or a state that is none",
            next_step=_EXPORT,
        )
    place = pd.Index(wanted).get_indexer(pd.Index(said[column]))
    state = np.zeros((len(row), len(wanted)), dtype=np.int8)
    counts = place >= 0
    state[at[counts], place[counts]] = code.to_numpy(np.int8)[counts]
    return state


def _referred(families: pd.DataFrame) -> NDArray[np.int8]:
    """Unknown of every family in files of before it was asked."""
    if REFERRED not in families:
        return np.full(len(families), UNKNOWN, dtype=np.int8)
    code = families[REFERRED].map({word: number for number, word in enumerate(STATES)})
    if code.isna().any():
        raise NotAnExport(f"{FAMILIES}: {REFERRED}: expected one of {', '.join(STATES)}")
    return np.asarray(code, dtype=np.int8)


def _untold(families: pd.DataFrame) -> NDArray[np.bool_] | None:
    """None in files of before it was asked."""
    if _RESIDENCE not in families:
        return None
    said = families[_RESIDENCE]
    if not said.isin(["", *columns.RESIDENCE]).all():
        raise NotAnExport(
            f"{FAMILIES}: {_RESIDENCE}: expected one of {', '.join(columns.RESIDENCE)}"
        )
    return untold_of(said.tolist())


class _Figures(BaseModel):
    """What is wanted of a run's figures."""

    run: Hex128
    finished: Time | None = None


def day_of(folder: Path) -> date:
    """The day (UTC) on which the run finished that a folder's files are of.

    Raises:
        NotAnExport: ``quality.json`` does not say, as of before 2026-11-29, or is none.
    """
    finished = _figures(folder).finished
    if finished is None:
        raise NotAnExport(f"{QUALITY} does not say when its run finished", next_step=_EXPORT)
    return parse_time(finished).date()


def _figures(folder: Path) -> _Figures:
    try:
        return _Figures.model_validate_json((folder / QUALITY).read_bytes())
    except (OSError, ValidationError) as error:
        raise NotAnExport(
            f"{QUALITY} does not name its run: {type(error).__name__}", next_step=_EXPORT
        ) from None


def _read(folder: Path, name: str) -> pd.DataFrame:
    try:
        found = pd.read_csv(folder / name, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        raise NotAnExport(
            f"{name} cannot be read: {type(error).__name__}",
            next_step=_EXPORT,
        ) from None
    missing = [column for column in _COLUMNS[name] if column not in found.columns]
    if missing:
        raise NotAnExport(f"{name}: no column {', '.join(missing)}")
    return found


def _numbers(families: pd.DataFrame, name: str) -> NDArray[np.int64]:
    if not families[name].str.fullmatch(r"\d{1,9}").all():
        raise NotAnExport(f"{FAMILIES}: {name}: expected whole numbers")
    return families[name].to_numpy().astype(np.int64)


def _truths(families: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    found = families[name].map(_FLAGS)
    if found.isna().any():
        raise NotAnExport(f"{FAMILIES}: {name}: expected True or False")
    return found.to_numpy(np.bool_)
