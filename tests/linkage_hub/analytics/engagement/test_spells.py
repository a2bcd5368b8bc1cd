"""Families in the programme, from runs and from tables."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from linkage_hub.analytics.engagement.spells import (
    COLUMNS,
    Spells,
    in_order_of,
    read_spells,
    spells_bytes,
    spells_of,
    with_teams,
)
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import MET, UNKNOWN, UNMET
from linkage_hub.analytics.outcomes.errors import NotATable
from linkage_hub.analytics.outcomes.months import NEVER
from linkage_hub.analytics.outcomes.panel import Panel, panel_of, resolved
from tests.linkage_hub.analytics.outcomes_world import pseudonym

JANUARY = 12 * 2025
U, N, M = UNKNOWN, UNMET, MET


def panel(*families: tuple[str, Sequence[tuple[int, int] | None]]) -> Panel:
    """Families by what is said of two needs each month, None where they are not seen.

    Args:
        families: the months in the programme as a word of ``.`` and ``x``, and states.
    """
    by_month = {}
    for month in range(len(families[0][0])):
        here = [
            (at, inside[month] == "x", states[month])
            for at, (inside, states) in enumerate(families)
            if states[month] is not None
        ]
        by_month[JANUARY + month] = FamilyColumns(
            family=np.array([pseudonym(at) for at, _, _ in here], dtype=object),
            needs=("debt", "neet"),
            state=np.array([state for _, _, state in here], dtype=np.int8).reshape(-1, 2),
            children=np.ones(len(here), dtype=np.int64),
            in_programme=np.array([inside for _, inside, _ in here], dtype=np.bool_),
            resident=np.ones(len(here), dtype=np.bool_),
            flagged=np.zeros(len(here), dtype=np.bool_),
            referred=np.zeros(len(here), dtype=np.int8),
        )
    return panel_of(by_month)


def test_when_progress_is_known() -> None:
    """All that was met on joining is known to be unmet; what is unknown is not."""
    found, left_out = spells_of(
        panel(
            (".xxxx", [(M, M), (M, M), (N, M), (N, U), (N, N)]),  # in the fourth month
            (".xxxx", [(M, U), (M, U), (U, N), (U, N), (U, N)]),  # nobody speaks of it any more
            (".xx..", [(M, M), (M, N), (N, M), None, None]),  # the other need came later
            ("xxxxx", [(M, M)] * 5),  # no beginning
            (".xxxx", [(N, U)] * 5),  # nothing to make progress with
            (".....", [(M, M)] * 5),  # never in
        ),
        every=True,
        stays=0,
    )
    assert found.family.tolist() == [pseudonym(0), pseudonym(1), pseudonym(2)]
    assert (found.joined - JANUARY).tolist() == [1, 1, 1]
    assert found.progressed.tolist() == [JANUARY + 4, NEVER, JANUARY + 2]
    assert (found.seen_to - JANUARY).tolist() == [4, 4, 2]
    assert list(left_out.values()) == [1, 1]


def test_one_need_is_enough_where_it_is_asked_for() -> None:
    """Some of what was met."""
    found, _ = spells_of(
        panel((".xxx", [(M, M), (M, M), (M, M), (N, M)])), every=False, stays=0
    )  # fmt: skip
    assert found.progressed.tolist() == [JANUARY + 3]


def test_progress_lasts_for_as_long_as_is_asked() -> None:
    """It is known when it has stayed; a month in which nobody looked begins it anew."""
    months = [(M, U), (M, U), (N, U), (N, U), (N, U), (N, U), (N, U)]
    broken = [*months[:4], None, *months[5:]]
    again = [*months[:4], (M, U), *months[5:]]
    found, _ = spells_of(
        panel((".xxxxxx", months), (".xxxxxx", broken), (".xxxxxx", again)), every=True, stays=2
    )
    assert found.progressed.tolist() == [JANUARY + 4, NEVER, NEVER]


def test_three_values() -> None:
    """Of all: one that is still met is no progress; of some: only if all are."""
    targets = np.array([[True, True]] * 5 + [[False, False]])
    state = np.array([[N, N], [N, U], [N, M], [M, U], [M, M], [N, N]], dtype=np.int8)
    done, not_done = resolved(targets, state, every=True)
    assert done.tolist() == [True, False, False, False, False, False]
    assert not_done.tolist() == [False, False, True, True, True, False]
    done, not_done = resolved(targets, state, every=False)
    assert done.tolist() == [True, True, True, False, False, False]
    assert not_done.tolist() == [False, False, False, False, True, False]


def test_as_it_was_known() -> None:
    """At an earlier month later progress is not known, and who joined later is not there."""
    found, _ = spells_of(
        panel(
            (".xxxx", [(M, U), (M, U), (M, U), (N, U), (N, U)]),
            ("...xx", [(M, U)] * 5),
        ),
        every=True,
        stays=0,
    )
    then = found.as_known(JANUARY + 2)
    assert then.family.tolist() == [pseudonym(0)]
    assert (then.progressed.tolist(), then.seen_to.tolist()) == ([NEVER], [JANUARY + 2])
    assert found.as_known(JANUARY + 3).progressed.tolist() == [JANUARY + 3, NEVER]


def table() -> Spells:
    """Two families."""
    found, _ = spells_of(
        panel(
            (".xxx", [(M, U), (M, U), (N, U), (N, U)]),
            (".xxx", [(M, M), (M, M), (M, N), (M, N)]),
        ),
        every=True,
        stays=0,
    )
    return found


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    """CSV and Parquet alike."""
    path = tmp_path / "spells.csv"
    path.write_bytes(spells_bytes(table()))
    first = path.read_text("utf-8").splitlines()[1]
    assert first == f"{pseudonym(0)},2025-02,2025-02,2025-04,2025-03,met,unknown"
    import pandas as pd  # noqa: PLC0415

    pd.read_csv(path, dtype=str, keep_default_na=False).to_parquet(tmp_path / "spells.parquet")
    for name in ("spells.csv", "spells.parquet"):
        assert spells_bytes(read_spells(tmp_path / name)) == path.read_bytes()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda text: text.replace("2025-02", "2025-13"), "joined: expected months"),
        (lambda text: text.replace("unknown", "unmet?"), "need_neet: unknown or unmet or met"),
        (lambda text: text.replace("2025-03,met", "2025-02,met"), "progressed after seen_from"),
        (lambda text: text.replace("2025-03,met", "2025-09,met"), "progressed no later"),
        (lambda text: text.replace("f-0", "g-0"), "family: a pseudonym"),
        (lambda text: text + text.splitlines()[1] + "\n", "family: each once"),
        (lambda text: text.replace("met,unknown", "unknown,unknown"), "a need that is met"),
        (lambda text: text.replace("joined", "came"), f"columns {', '.join(COLUMNS)}"),
        (lambda text: text.replace("need_", "want_"), "columns"),
        (lambda text: text.splitlines()[0] + "\n", "a row at least"),
    ],
)
def test_what_is_no_table_is_refused(
    tmp_path: Path, change: Callable[[str], str], expected: str
) -> None:
    """With what was expected and no value."""
    path = tmp_path / "spells.csv"
    path.write_text(change(spells_bytes(table()).decode()), "utf-8")
    with pytest.raises(NotATable) as refused:
        read_spells(path)
    assert expected in str(refused.value)
    assert "0000000" not in str(refused.value)


def test_teams_and_order_of_needs(tmp_path: Path) -> None:
    """A family without a team has none; needs are found by name."""
    path = tmp_path / "teams.csv"
    path.write_text(f"family,team\n{pseudonym(1)},north\n", "utf-8")
    assert with_teams(table(), path).team.tolist() == ["", "north"]
    path.write_text("family,crew\n", "utf-8")
    with pytest.raises(NotATable):
        with_teams(table(), path)
    assert in_order_of(table(), ("neet", "debt")).state.tolist() == [[U, M], [M, M]]
    with pytest.raises(NotATable):
        in_order_of(table(), ("neet", "rent"))
