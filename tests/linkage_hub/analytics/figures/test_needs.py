"""Needs of a run as figures for staff: exact of all, and by area as the agreement has it."""

import csv
import json
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from openpyxl import load_workbook

from governance.agreements.errors import ActionNotAllowed
from governance.agreements.models import Agreement
from governance.ledger.errors import LedgerUnavailableError
from governance.ledger.party import PartyLedger
from governance.ledger.state import LedgerState
from governance.reports.models import Bars, Heat, Table
from linkage_hub.analytics.figures.documents import HIDDEN, records
from linkage_hub.analytics.figures.needs import below, document_of, parts_of
from linkage_hub.analytics.held import FamilyColumns, all_categories_of, families_of
from linkage_hub.analytics.needs import MET, SEVERAL, UNKNOWN, UNSAID, Categories
from linkage_hub.analytics.permission import analysed_run
from tests.hub_world import HubWorld, hub_world_in
from tests.linkage_hub.analytics.figures_world import (
    AREAS,
    NEEDS,
    RUN,
    figures_world_in,
    hub,
    keep_run,
    with_areas,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """A hub with a run."""
    with figures_world_in(tmp_path_factory.mktemp("figures")) as found:
        yield found


@pytest.fixture(scope="module")
def families(world: HubWorld) -> FamilyColumns:
    """The run's."""
    with world.hub.database.reading() as connection:
        return families_of(connection, RUN, world.agreement.needs)


@pytest.fixture(scope="module")
def areas(world: HubWorld, families: FamilyColumns) -> Categories:
    """Where they live."""
    with world.hub.database.reading() as connection:
        return all_categories_of(connection, RUN, world.agreement, families)["area"]


@pytest.fixture(scope="module")
def tables(world: HubWorld, families: FamilyColumns, areas: Categories) -> dict[str, Table]:
    """By their ids."""
    parts = parts_of(world.agreement, families, {"area": areas})
    return {table.id: table for part in parts for table in part.tables}


def test_unknown_stands_by_itself(tables: dict[str, Table], families: FamilyColumns) -> None:
    """Met, unmet and unknown add up to all families; the share is of what is known."""
    for row in records(tables["needs"]):
        state = families.state[:, NEEDS.index(str(row["need"]))]
        counts = [int((state == code).sum()) for code in range(3)]
        assert [row["unknown"], row["unmet"], row["met"]] == counts
        assert row["share"] == pytest.approx(counts[2] / (counts[1] + counts[2]))
        assert row["at least"] == pytest.approx(counts[2] / len(families))
        assert row["at most"] == pytest.approx(1 - counts[1] / len(families))


def test_needs_that_are_met_together(tables: dict[str, Table], families: FamilyColumns) -> None:
    """Of families of which both are known, and of no others."""
    rows = {(row["first"], row["second"]): row for row in records(tables["needs-together"])}
    assert len(rows) == len(NEEDS) * (len(NEEDS) - 1)
    first, second = (families.state[:, at] for at in (0, 2))
    here = (first != UNKNOWN) & (second != UNKNOWN)
    both = int(((first == MET) & (second == MET)).sum())
    row = rows[NEEDS[0], NEEDS[2]]
    assert row["both"] == rows[NEEDS[2], NEEDS[0]]["both"] == both
    assert row["share"] == pytest.approx(both / (here & (first == MET)).sum())
    assert row["share in all"] == pytest.approx((here & (second == MET)).sum() / here.sum())
    assert row["times"] == pytest.approx(float(row["share"] or 0) / float(row["share in all"] or 1))


def test_several_needs_below_the_minimum(world: HubWorld, families: FamilyColumns) -> None:
    """Under a minimum of three: two are met; of these, one more that nobody knows about."""
    three = world.agreement.model_copy(update={"minimum_needs": 3})
    several, undecided = below(three, families)
    met = (families.state == MET).sum(axis=1)
    open_ = families.resident & ~families.in_programme
    assert several.tolist() == (open_ & (met == 2)).tolist()
    reach = met + (families.state == UNKNOWN).sum(axis=1) >= 3
    assert undecided.tolist() == (open_ & reach & (met < 3)).tolist()
    assert several.any()
    assert not below(world.agreement, families)[0].any()
    counts = {str(row[0]): row[1] for row in tables_by_id(three, families)["families"].rows}
    assert counts["several needs, fewer than put a family forward"] == int(several.sum())


def tables_by_id(terms: Agreement, families: FamilyColumns) -> dict[str, Table]:
    """Without categories."""
    parts = parts_of(terms, families, {})
    return {table.id: table for part in parts for table in part.tables}


def test_small_areas_are_not_shown(
    world: HubWorld, tables: dict[str, Table], families: FamilyColumns, areas: Categories
) -> None:
    """No count by area is below the agreement's threshold; what is shown is what is there."""
    least = world.agreement.suppression_threshold
    tiny = int((areas.of == AREAS.index("area_vale")).sum())
    assert 0 < tiny < least
    names = (*AREAS, "several", "unknown")
    code = {SEVERAL: 4, UNSAID: 5}
    place = np.array([code.get(each, each) for each in areas.of.tolist()])
    shown = 0
    for row in records(tables["area-needs"]):
        group = [names.index(each) for each in str(row["area"]).split(" or ")]
        state = families.state[np.isin(place, group), NEEDS.index(str(row["need"]))]
        for word, value in (("unknown", 0), ("unmet", 1), ("met", 2)):
            if row[word] != HIDDEN:
                assert row[word] == int((state == value).sum()) >= least
                shown += 1
    assert shown > 20
    for row in records(tables["area-families"]):
        counts = [row[name] for name in ("families", "put forward", "in the programme")]
        assert all(count == HIDDEN or int(count or 0) >= least for count in counts)
    assert not any(row["area"] == "area_vale" for row in records(tables["area-families"]))


def test_the_command_writes_every_form(world: HubWorld, tmp_path: Path) -> None:
    """JSON, CSV, a workbook, and a page with charts that fetches nothing; no pseudonym in any."""
    result = hub(world, "needs", "figures", RUN, f"--out={tmp_path}")
    assert result.exit_code == 0, result.output
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "needs.json", "needs.pdf", "needs.xlsx", "needs.html", "needs.csv",
        "needs.json.provenance.json",
    }  # fmt: skip
    tables = json.loads((tmp_path / "needs.json").read_text("utf-8"))["tables"]
    with (tmp_path / "needs.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(dict.fromkeys(row["table"] for row in rows)) == list(tables)
    said = [row for row in rows if row["table"] == "needs" and row["column"] == "met"]
    assert [(row["line"], int(row["value"])) for row in said] == [
        (row["need"].replace("_", " "), row["met"]) for row in tables["needs"]["rows"]
    ]
    book = load_workbook(BytesIO((tmp_path / "needs.xlsx").read_bytes()), read_only=True)
    assert [each.title for each in book.worksheets][1:] == list(tables)
    page = (tmp_path / "needs.html").read_text("utf-8")
    assert page.count("<svg") == 4  # needs, together, by area, by length
    assert "<script" not in page
    assert "://" not in page.replace("http://www.w3.org/", "")
    for path in tmp_path.iterdir():
        assert b"f-0000" not in path.read_bytes()


def test_the_report_says_what_the_tables_say(
    world: HubWorld, families: FamilyColumns, areas: Categories
) -> None:
    """In words; a chart's figures are in its table, and what is hidden is in neither."""
    found = document_of(
        tuple(parts_of(world.agreement, families, {"area": areas})), world.agreement, run=RUN,
        finished="2026-11-02T00:00:00Z", made_on=date(2026, 11, 29), program=f"sha256:{'0' * 64}",
    )  # fmt: skip
    assert [each.count for each in found.highlights] == [
        len(families), int(families.flagged.sum()), int(families.in_programme.sum()),
    ]  # fmt: skip
    assert "_" not in "".join(str(cell) for t in found.tables for row in t.rows for cell in row)
    charts = {part.id: part for part in found.parts if part.chart is not None}
    assert list(charts) == ["needs", "needs-together", "area-needs"]
    common = charts["needs"]
    assert isinstance(common.chart, Bars)
    rows = {row[0]: row[1:4] for row in common.tables[0].rows}
    for at, name in enumerate(common.chart.series):
        for point in common.chart.points:
            if point.series == name:
                assert rows[point.line][at] == point.value
    by_area = charts["area-needs"]
    assert isinstance(by_area.chart, Heat)
    shown = {(point.down, point.across): point.share for point in by_area.chart.points}
    assert shown == {row[:2]: row[-1] for row in by_area.tables[0].rows if row[-1] is not None}
    assert any(row[-1] is None and HIDDEN in row for row in by_area.tables[0].rows)


@pytest.mark.parametrize("words", [("needs", "figures"), ("tables", "publish")])
def test_nothing_is_written_while_the_ledger_cannot_be_asked(
    world: HubWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """The agreement may have been suspended since: an old copy of the ledger does not do."""

    def away(_ledger: PartyLedger) -> LedgerState:
        raise LedgerUnavailableError("no answer")

    monkeypatch.setattr(PartyLedger, "sync", away)
    result = hub(world, *words, RUN, f"--out={tmp_path / 'out'}")
    assert isinstance(result.exception, LedgerUnavailableError)
    assert not (tmp_path / "out").exists()


def test_an_agreement_for_linking_alone_gives_no_figures(tmp_path: Path) -> None:
    """It has to name analysis."""

    def linking(data: dict[str, object]) -> None:
        with_areas(data)
        data["actions"] = ["encode", "submit", "link", "release"]

    with hub_world_in(tmp_path, linking) as world:
        keep_run(world.hub.database, world.agreement.hash, count=10)
        with pytest.raises(ActionNotAllowed, match="analysis"):
            analysed_run(world.hub.database, world.hub.ledger, RUN, world.hub.now())
