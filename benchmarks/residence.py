"""``python -m benchmarks.residence --persons 60000 --seed 90210``: which families live here still.

Families are built on the true persons of a synthetic county, so that what is measured is how the
hub tells residence and nothing else. Shown are the rule until ADR 50 (an address holds while any
row leaves it open) and that of ``families.whereabouts``, also with ends left out at random: of
that share of the rows that tell of one, which is what a register that is slow or forgets does.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
import typer

from benchmarks.risk.linked.extracts import County, read_county
from benchmarks.risk.linked.worlds import MINIMUM, MONTH, TODAY, WANTED
from examples.county.generate import DEFAULT_SEED, generate
from linkage_hub.analytics.needs import MET, Assessments, assess
from linkage_hub.families.build import build_families
from linkage_hub.families.columns import HERE, LEFT, OPEN, UNTOLD, Evidence
from linkage_hub.families.history import address_history
from linkage_hub.families.reading import read_evidence
from linkage_hub.families.result import FamilyResult
from linkage_hub.families.whereabouts import Whereabouts, whereabouts_of
from linkage_hub.runs.indicators import read_indicators

LOST: Final = (0.0, 0.05, 0.1, 0.3)
Bools = npt.NDArray[np.bool_]


def main(
    persons: Annotated[int, typer.Option(help="people of the county")] = 6_000,
    seed: Annotated[int, typer.Option(help="of the county")] = DEFAULT_SEED,
    keep: Annotated[Path, typer.Option(help="keeps counties here")] = Path("county-risk"),
) -> None:
    """Run and print it."""
    folder = keep / f"{persons}-{seed}"
    if not (folder / "summary.json").exists():
        generate(persons, seed, folder)
    county = read_county(folder, persons, seed)
    records = sum(len(each.handles) for each in county.before)
    who, person = np.unique(county.person[:records], return_inverse=True)
    ends = np.cumsum([len(each.handles) for each in county.before])
    person_of = np.split(person.astype(np.int64), ends[:-1])
    evidence = read_evidence([each.table for each in county.before], person_of, len(who))
    built = build_families(evidence)
    said = read_indicators(
        county.before, person_of, WANTED, built.members.family, built.members.person
    )
    everybody = assess(said, WANTED, MINIMUM, np.ones(built.count, dtype=np.bool_))
    present = _present(county, who, built)
    print("rule, ends lost: of those with enough needs, and of all, not in the programme")
    _shown("until ADR 50, 0 %", _until_then(built), everybody, present)
    for lost in LOST:
        where = whereabouts_of(_without_ends(evidence, lost), built, MONTH)
        _shown(f"whereabouts, {lost:.0%}", where, everybody, present)


def _present(county: County, who: npt.NDArray[np.int64], built: FamilyResult) -> Bools:
    """Families of whom somebody lives in the county on the day of the extracts."""
    lives = (county.people.present_to >= TODAY.isoformat()).to_numpy()[who]
    found = np.zeros(built.count, dtype=np.bool_)
    found[built.family_of[lives]] = True
    return found


def _until_then(built: FamilyResult) -> Whereabouts:
    addresses = address_history(built.stays, built.family_of)
    state = np.full(built.count, HERE, dtype=np.int8)
    state[addresses.family] = LEFT
    state[addresses.family[addresses.last_month >= MONTH]] = HERE
    return Whereabouts(state, np.full(built.count, MONTH))


def _without_ends(evidence: Evidence, share: float) -> Evidence:
    said = evidence.statements
    missed = np.random.default_rng(1).random(len(said.last)) < share
    return replace(evidence, statements=replace(said, last=np.where(missed, OPEN, said.last)))


def _shown(rule: str, where: Whereabouts, needs: Assessments, present: Bools) -> None:
    for words, some in (
        ("enough needs", (needs.state == MET).sum(axis=1) >= MINIMUM),
        ("all", np.ones(len(present), dtype=np.bool_)),
    ):
        asked = some & ~needs.in_programme
        parts = []
        for word, state in (("here", HERE), ("untold", UNTOLD), ("left", LEFT)):
            these = asked & (where.state == state)
            gone = float((~present)[these].mean()) if these.any() else float("nan")
            parts.append(f"{word} {these.sum():,} ({gone:.3f} left)")
        open_ = asked & where.resident
        parts.append(f"open {open_.sum():,} ({(~present)[open_].mean():.3f} left)")
        parts.append(f"residents lost {(where.state == LEFT)[asked & present].mean():.3f}")
        print(f"  {rule:18} {words:13} {'  '.join(parts)}", flush=True)


if __name__ == "__main__":
    typer.run(main)
