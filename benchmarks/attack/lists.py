"""What an attacker has beside the encodings: a list of people, better or worse.

Rules: people are neighbours, whole households of one area of the synthetic county, since relatives
are what such an attack lives on. A list that lacks people has others of the next streets in their
place. A dirty list differs from the submission as another register of the same people would.
"""

import random
import string
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pandas as pd

from benchmarks.speed.county import DAY, cleaned, county_schema, folder_for
from governance.agreements.quality import Quality
from partner_agent.sentinels.mixing import Sampler, synthetic_rows

SOURCE: Final = "gp_registrations"  # holds nearly everybody
ROWS_A_PERSON: Final = 4  # records of the county for each person of that source, and to spare
MOVED, MARRIED, MISSPELT, MISDATED, NO_MIDDLE = 0.1, 0.03, 0.1, 0.05, 0.5  # of a dirty list
_QUALITY: Final = Quality(
    sentinels=100, decoy_percent=5, groups=(), outcodes=(), reveal_hours=24
)  # as in the demo's agreement


@dataclass(frozen=True)
class Situation:
    """How good the list is, and what the agent did.

    Attributes:
        overlap: share of the people of the submission whom the list holds.
        dirty: whether the list is another register's.
        decoys: whether the submission has its synthetic rows (ADR 14).
    """

    overlap: float = 1.0
    dirty: bool = False
    decoys: bool = False


SITUATIONS: Final = {
    "complete, clean": Situation(),
    "holds 80 %": Situation(overlap=0.8),
    "holds 50 %": Situation(overlap=0.5),
    "dirty": Situation(dirty=True),
    "synthetic rows": Situation(decoys=True),
    "holds 80 %, dirty, synthetic rows": Situation(overlap=0.8, dirty=True, decoys=True),
}


@dataclass(frozen=True)
class Target:
    """Cleaned rows of both sides.

    Attributes:
        submitted: rows that were encoded.
        listed: rows of the attacker's list.
        common: so many first rows of both are of the same people, in the same order.
    """

    submitted: pd.DataFrame
    listed: pd.DataFrame
    common: int


def county_target(people: int, seed: int, situation: Situation) -> tuple[dict[str, Any], Target]:
    """The county's schema document, and people who live near each other, in random order.

    Args:
        people: how many real ones are submitted, and listed.
        seed: of the order, so of who is known.
        situation: of the list.
    """
    folder = folder_for(people * ROWS_A_PERSON)
    rows = cleaned(folder)[SOURCE].sort_values(["postcode", "address", "row"])
    near, others = rows.iloc[:people], rows.iloc[people:]
    return county_schema(folder), target_of(near.sample(frac=1.0, random_state=seed), others,
                                            seed, situation)  # fmt: skip


def target_of(rows: pd.DataFrame, others: pd.DataFrame, seed: int, situation: Situation) -> Target:
    """Both sides of a population.

    Args:
        rows: cleaned rows in random order.
        others: of people who are not submitted; as many as the list lacks.
        seed: of the errors.
        situation: of the list.
    """
    common = round(situation.overlap * len(rows))
    listed = pd.concat([rows.iloc[:common], others.iloc[: len(rows) - common]], ignore_index=True)
    submitted = rows.reset_index(drop=True)
    if situation.dirty:
        listed = dirty(listed, seed)
    if situation.decoys:
        submitted = pd.concat([submitted, _synthetic(submitted, DAY)], ignore_index=True)
    return Target(submitted, listed, common)


def dirty(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The rows as another register might have them."""
    rng = random.Random(seed)
    records = [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]
    found = []
    for record in records:
        row, other = dict(record), rng.choice(records)
        if rng.random() < MOVED:
            row |= {name: other[name] for name in ("address", "postcode", "uprn") if name in other}
        if rng.random() < MARRIED:
            row["surname"] = other["surname"]
        if rng.random() < MISSPELT:
            name = rng.choice(("first_name", "surname"))
            row[name] = _misspelt(row[name], rng)
        if rng.random() < MISDATED and row["date_of_birth"]:
            row["date_of_birth"] = row["date_of_birth"][:8] + f"{rng.randint(1, 28):02d}"
        if rng.random() < NO_MIDDLE and "middle_name" in row:
            row["middle_name"] = ""
        found.append(row)
    return pd.DataFrame(found, columns=rows.columns)


def _misspelt(name: str, rng: random.Random) -> str:
    if not name:
        return name
    at = rng.randrange(len(name))
    return name[:at] + rng.choice(string.ascii_lowercase) + name[at + 1 :]


def _synthetic(rows: pd.DataFrame, today: date) -> pd.DataFrame:
    sampler = Sampler()
    sampler.see(rows)
    return synthetic_rows(sampler, _QUALITY, bytes(32), SOURCE, today).frame
