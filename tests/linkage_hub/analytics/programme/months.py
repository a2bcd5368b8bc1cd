"""Months of a programme, made up family by family."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from governance.agreements.criteria import Criteria
from linkage_hub.analytics.criteria.judging import judge
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import MET, UNKNOWN, UNMET
from linkage_hub.analytics.programme.month import Month

CODES: Final = {"?": UNKNOWN, "-": UNMET, "+": MET}
NEEDS: Final = ("absence", "neet", "offence")


def criteria() -> Criteria:
    """Three needs, two of which can be claimed for; attendance has bands of 90, 80 and 50."""
    plain = {
        "applies_to": "family", "owner_partner": ["council"], "released_as": "boolean",
        "evidence": "the partner's record", "missing": "unknown",
    }  # fmt: skip

    def need(name: str, **more: Any) -> dict[str, Any]:
        rule = {"of": [name]}
        sustain = {"months": 6, "known_by": f"{name}_6m"}
        return plain | {
            "id": name, "title": f"<i>{name.capitalize()}", "eligibility": rule, "success": rule,
            "sustain": sustain, "baseline": f"{name}_start",
        } | more  # fmt: skip

    bands = [
        {"short_of": "90", "indicator": "absence", "at_start": "absence_start"},
        {"short_of": "80", "indicator": "absence_80", "at_start": "absence_80_start"},
        {"short_of": "50", "indicator": "absence_50", "at_start": "absence_50_start"},
    ]
    distance = {"measure": "attendance", "target": "90", "unit": "percent", "bands": bands}
    return Criteria.model_validate(
        {
            "format": "criteria/v1", "id": "test", "title": "Test", "valid_from": "2026-01-01",
            "minimum": 2, "dependent_child": "not_required", "source": "this test",
            "programme": {
                "closed": "left_6m",
                "joined": [
                    {"months": 3, "indicator": "joined_3m"},
                    {"months": 12, "indicator": "joined_12m"},
                ],
            },
            "needs": [
                need("absence", distance=distance, distance_travelled="attendance rose"),
                need("neet"),
                need("offence"),
            ],
        }
    )  # fmt: skip


def month(families: Sequence[Mapping[str, str]], **people: Sequence[str]) -> Month:
    """A month.

    Args:
        families: of each, ``+``, ``-`` or ``?`` by indicator; ``flagged`` and ``away`` too.
        people: by family's name (a to z, in order), whose first home it is; one each without.
    """
    terms = criteria()
    names = [f"f-{at:032x}" for at in range(len(families))]

    def states(name: str) -> Any:
        return np.array([CODES[each.get(name, "?")] for each in families], dtype=np.int8)

    def truths(name: str, sign: str = "+") -> Any:
        return np.array([each.get(name) == sign for each in families], dtype=np.bool_)

    columns = FamilyColumns(
        family=np.array(names, dtype=object),
        needs=terms.indicators,
        state=np.stack([states(name) for name in terms.indicators], axis=1),
        children=np.ones(len(families), dtype=np.int64),
        in_programme=truths("in_programme"),
        resident=~truths("away"),
        flagged=truths("flagged"),
        referred=np.full(len(families), UNKNOWN, dtype=np.int8),
    )
    held = {name: states(name) for name in (*terms.indicators, *terms.details)}
    letters = "abcdefghijklmnopqrstuvwxyz"[: len(families)]
    home = [
        (person, at, True) for at, name in enumerate(letters) for person in people.get(name, [name])
    ]
    followed = pd.DataFrame(home, columns=["person", "family", "first"])
    return Month(columns, judge(terms, columns), held, followed)


@st.composite
def months(draw: st.DrawFn, most: int = 4) -> Month:
    """Any month; its people are among p0 to p7, so that those of two months overlap."""
    count = draw(st.integers(1, most))
    names = [*criteria().indicators, *criteria().details]
    signs = st.sampled_from("?-+")
    families = [
        {name: draw(signs) for name in names} | {each: draw(signs) for each in ("flagged", "away")}
        for _ in range(count)
    ]
    people = draw(st.permutations([f"p{number}" for number in range(8)]))
    found: dict[str, list[str]] = {name: [people[at]] for at, name in enumerate("abcdefgh"[:count])}
    for person in people[count:]:
        family = draw(st.integers(-1, count - 1))  # -1: not in the county that month
        if family >= 0:
            found["abcdefgh"[family]].append(person)
    return month(families, **found)
