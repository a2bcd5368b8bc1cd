"""A run's exported files, made up."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from linkage_hub.analytics.needs import STATES

RUN = "a" * 32
FAMILIES = (
    "family,confidence,reasons,members,adults,children,needs_met,needs_unknown,"
    "in_programme,is_resident,flagged,referred,residence,told_month"
)


def write_export(
    folder: Path,
    needs: Sequence[str],
    *,
    families: int = 400,
    seed: int = 1,
    finished: str = "2026-01-10T09:00:00Z",
) -> None:
    """Families with random needs, as ``linkage-hub runs export`` writes them."""
    rng = np.random.default_rng(seed)
    state = rng.choice(3, (families, len(needs)), p=[0.5, 0.35, 0.15])
    enrolled, children = rng.random(families) < 0.05, rng.poisson(1.2, families)
    referred = rng.choice(3, families, p=[0.1, 0.8, 0.1])
    lines, said = [FAMILIES], ["family,need,state,sources"]
    for at in range(families):
        name = f"f-{at:032x}"
        met, unknown = int((state[at] == 2).sum()), int((state[at] == 0).sum())
        flagged = met >= 2 and not enrolled[at]
        lines.append(
            f"{name},0.9,[],{children[at] + 2},2,{children[at]},{met},{unknown},"
            f"{enrolled[at]},True,{flagged},{STATES[referred[at]]},"
            f"{'here' if at % 10 else 'untold'},{24_300 if at % 10 else ''}"
        )
        said += [
            f"{name},{need},{STATES[code]},1"
            for need, code in zip(needs, state[at], strict=True)
            if code
        ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "families.csv").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "needs.csv").write_text("\n".join(said) + "\n", "utf-8")
    (folder / "quality.json").write_text(
        json.dumps({"run": RUN, "finished": finished, "families": families}), "utf-8"
    )
