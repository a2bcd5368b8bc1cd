"""Who was referred since: within a horizon, of families put forward and of others."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from governance.agreements.errors import AgreementSuspended
from governance.agreements.files import read_agreement, write_agreement
from governance.agreements.models import Agreement
from governance.terminal import write_document
from governance.transparency.code import installed
from linkage_hub.analytics.figures.follow_up import (
    GROUPS,
    Followed,
    Seen,
    difference,
    follow,
)
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import MET, UNKNOWN, UNMET
from linkage_hub.analytics.outcomes.errors import NotProved
from linkage_hub.analytics.provenance import PROVENANCE, ExportName, Provenance, file_hash
from linkage_hub.cli.main import app
from linkage_hub.cli.needs import NotFollowed
from tests.governance.world import Party, agreement_data
from tests.linkage_hub.analytics.exports import write_export
from tests.linkage_hub.analytics.outcomes_world import know

DAY = date(2026, 1, 10)
LETTER = {"m": MET, "u": UNMET, "?": UNKNOWN}


def seen(months: int, states: str, *, flagged: str = "", late: int = 0) -> Seen:
    """A run so many months on: m, u or ? of each family, - where it is gone; f: put forward."""
    there = [at for at, letter in enumerate(states) if letter != "-"]
    size = len(there)
    families = FamilyColumns(
        family=np.array([f"f-{at}" for at in there], dtype=object),
        needs=(),
        state=np.zeros((size, 0), dtype=np.int8),
        children=np.zeros(size, dtype=np.int64),
        in_programme=np.zeros(size, dtype=np.bool_),
        resident=np.ones(size, dtype=np.bool_),
        flagged=np.array([flagged[at : at + 1] == "f" for at in there], dtype=np.bool_),
        referred=np.array([LETTER[states[at]] for at in there], dtype=np.int8),
    )
    return Seen(DAY + relativedelta(months=months, days=late), families)


def counts(each: Followed) -> tuple[int, int, int, int]:
    """As a test writes them."""
    return each.referred, each.not_referred, each.unknown, each.gone


def test_each_family_is_in_one_place() -> None:
    """Referred, known not to be, unknown, gone; who was referred before is not followed."""
    first = seen(0, "uuuuuuum?", flagged="ffff---ff")
    found = follow(first, [seen(3, "mu?-muumm")], 12)
    assert (found.already, found.not_known) == (1, 1)
    forward, others = found.followed
    assert (forward.group, others.group) == GROUPS
    assert counts(forward) == (1, 1, 1, 1)
    assert counts(others) == (1, 2, 0, 0)


def test_a_referral_stays_and_belongs_to_its_horizon() -> None:
    """Said at four months: within 6 and 12, not within 3, and also when the family is gone."""
    runs = [seen(3, "uu"), seen(4, "mu"), seen(6, "uu"), seen(12, "-u")]
    found = follow(seen(0, "uu", flagged="ff"), runs, 12)
    by_horizon = {each.horizon: counts(each) for each in found.followed if each.group == GROUPS[0]}
    assert by_horizon == {3: (0, 2, 0, 0), 6: (1, 1, 0, 0), 12: (1, 1, 0, 0)}


def test_a_stretch_that_no_run_looks_back_on_is_unknown() -> None:
    """With a window of 3 months, runs at 3 and 12 say nothing of the months between."""
    first = seen(0, "u", flagged="f")
    apart = follow(first, [seen(3, "u"), seen(12, "u")], 3)
    assert [counts(each) for each in apart.followed if each.group == GROUPS[0]] == [
        (0, 1, 0, 0),
        (0, 0, 1, 0),
    ]
    whole = follow(first, [seen(month, "u") for month in (3, 6, 9, 12)], 3)
    assert counts(whole.followed[-2]) == (0, 1, 0, 0)
    one_month_unknown = follow(first, [seen(3, "u"), seen(6, "?"), seen(9, "u"), seen(12, "u")], 3)
    assert counts(one_month_unknown.followed[-2]) == (0, 0, 1, 0)


def test_a_horizon_that_no_run_reaches_is_left_out() -> None:
    """A run a few days late counts, one three weeks late is of the next horizon."""
    first = seen(0, "u", flagged="f")
    assert {each.horizon for each in follow(first, [seen(3, "u", late=15)], 12).followed} == {3}
    assert not follow(first, [seen(3, "m", late=16)], 12).followed
    assert not follow(first, [seen(0, "m"), seen(-3, "m")], 12).followed


STATES = st.text("mu?-", min_size=8, max_size=8)


@given(
    st.text("mu?", min_size=8, max_size=8),
    st.text("f-", min_size=8, max_size=8),
    st.lists(st.tuples(st.sampled_from([1, 3, 5, 6, 9, 12]), STATES), max_size=5),
    st.sampled_from([1, 3, 6, 12]),
)
def test_what_becomes_known_moves_only_what_was_unknown(
    first: str, flagged: str, later: Sequence[tuple[int, str]], window: int
) -> None:
    """For any runs: all are counted once; one met word more takes a family out of the others."""
    begin, runs = seen(0, first, flagged=flagged), [seen(m, states) for m, states in later]
    found = follow(begin, runs, window)
    cohort = first.count("u")
    for forward, others in zip(found.followed[::2], found.followed[1::2], strict=True):
        assert forward.families + others.families == cohort
        assert forward.referred >= 0
    if cohort and later:
        at = first.index("u")
        month, states = later[0]
        said = [seen(month, states[:at] + "m" + states[at + 1 :]), *runs[1:]]
        by = {(each.horizon, each.group): each for each in follow(begin, said, window).followed}
        for each in found.followed:
            also = by[each.horizon, each.group]
            assert each.referred <= also.referred <= each.referred + 1
            assert also.not_referred <= each.not_referred


def test_a_difference_has_newcombes_interval() -> None:
    """56 of 70 less 48 of 80 is .2 with .0524 to .3339 (Newcombe 1998, method 10)."""
    found = difference(Followed(3, "", 56, 14, 0, 0), Followed(3, "", 48, 32, 5, 9))
    assert found is not None
    assert found.value == pytest.approx(0.2)
    assert found.low == pytest.approx(0.0524, abs=5e-5)
    assert found.high == pytest.approx(0.3339, abs=5e-5)
    assert difference(Followed(3, "", 0, 0, 3, 0), Followed(3, "", 4, 3, 0, 0)) is None


def write_terms(path: Path, used_as: str | None) -> None:
    """An agreement by which the council says who was referred."""
    data = agreement_data([Party(name) for name in ("police", "council")])
    data["indicators"] = [
        {"id": "referred", "description": "referred", "owners": ["council"], "window_months": 12}
        | ({"used_as": used_as} if used_as else {})
    ]
    data["sources"] = [source | {"indicators": []} for source in data["sources"]]
    path.write_text(write_agreement(Agreement.model_validate(data)), "utf-8")


def prove(folder: Path, agreement: str, run: int) -> None:
    """What a run's files came from."""
    names: tuple[ExportName, ...] = ("families.csv", "needs.csv", "quality.json")
    files = {name: file_hash(folder / name) for name in names}
    document = Provenance(run=f"{run:032x}", agreement=agreement, program=installed(), files=files)
    write_document(folder / PROVENANCE, document)


def test_the_command_follows_exported_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every form is written; a date that was changed, or no indicator of referral, is refused."""
    path = tmp_path / "agreement.yaml"
    write_terms(path, "referral")
    ledger = know(path, monkeypatch)
    for month in (1, 4, 7):
        folder = tmp_path / str(month)
        write_export(
            folder,
            ["neet", "debt", "offence"],
            seed=month,
            finished=f"2026-{month:02}-10T09:00:00Z",
        )
        prove(folder, read_agreement(path).hash, month)
    words = ["--json", "needs", "follow-up", *(str(tmp_path / str(month)) for month in (1, 4, 7))]
    words += [f"--agreement={path}", f"--out={tmp_path / 'out'}"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, (result.output, result.exception)
    rows = json.loads(result.stdout)["tables"]["later-referral"]
    assert [row["within"] for row in rows] == ["3 months"] * 2 + ["6 months"] * 2
    assert all(row["referred"] and row["unknown"] for row in rows[2:])
    assert all(row["low"] < row["share"] < row["high"] for row in rows)
    apart = json.loads(result.stdout)["tables"]["later-referral-difference"][0]
    assert apart["difference"] == pytest.approx(rows[0]["share"] - rows[1]["share"])
    assert apart["low"] < apart["difference"] < apart["high"]
    page = (tmp_path / "out" / "later-referral.html").read_text("utf-8")
    assert page.count("<svg") == 1
    assert "at risk" not in page
    written = f"{100 * rows[0]['share']:.0f}\u00a0% ({100 * rows[0]['low']:.0f} to "
    assert written in page
    assert f"{100 * apart['difference']:+.0f}\u00a0points" in page
    assert all(f"{month:032x}" in page for month in (1, 4, 7))
    turned = [*words[:3], *(str(tmp_path / str(month)) for month in (4, 1)), *words[6:]]
    assert isinstance(CliRunner().invoke(app, turned).exception, NotFollowed)
    figures = tmp_path / "4" / "quality.json"
    figures.write_text(figures.read_text("utf-8").replace("2026-04", "2026-05"), "utf-8")
    assert isinstance(CliRunner().invoke(app, words).exception, NotProved)
    ledger.suspended = frozenset({"council"})
    assert isinstance(CliRunner().invoke(app, words).exception, AgreementSuspended)


def test_without_an_indicator_of_referral_there_is_nothing_to_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said which one is missing."""
    path = tmp_path / "agreement.yaml"
    write_terms(path, None)
    know(path, monkeypatch)
    write_export(tmp_path / "1", ["neet"])
    prove(tmp_path / "1", read_agreement(path).hash, 1)
    words = ["needs", "follow-up", *[str(tmp_path / "1")] * 2, f"--agreement={path}",
             f"--out={tmp_path / 'out'}"]  # fmt: skip
    assert isinstance(CliRunner().invoke(app, words).exception, NotFollowed)
