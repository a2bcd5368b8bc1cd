"""Pounds: decimal, sourced, and cashable ones apart from modelled ones."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from typer.testing import CliRunner

from linkage_hub.analytics.edited import read_edited
from linkage_hub.analytics.made import NotMadeSo
from linkage_hub.analytics.money.errors import NoDeflator, TooLarge, UnknownCost
from linkage_hub.analytics.money.models import Savings, UnitCosts
from linkage_hub.analytics.money.savings import Range, Report, Saved, in_prices_of, report
from linkage_hub.analytics.shipped import names_in, read_catalogue
from linkage_hub.cli.main import app
from linkage_hub.cli.money import PACKAGE

ROOT = Path(__file__).resolve().parents[4]
EXAMPLE = ROOT / "examples/money/county-programme.yaml"
SOURCE = {"title": "t", "publisher": "p", "published": "2016-03", "read_in": "r"}


def costs(**changes: Any) -> UnitCosts:
    """A catalogue with one cashable cost, and two years of HM Treasury's deflators."""
    cost = {
        "id": "placement", "title": "A placement", "unit": "week", "pounds": "100.50",
        "low": "90", "high": "120", "price_year": "1955-56", "includes": ["fiscal"],
        "agency": "council", "cashable": True, "source": SOURCE,
    } | changes  # fmt: skip
    deflator = {"name": "GDP", "source": SOURCE, "index": {"1955-56": "4.321", "1962-63": "5.387"}}
    return UnitCosts.model_validate(
        {"format": "unit-costs/v1", "id": "own", "title": "t", "deflator": deflator,
         "costs": [cost]}
    )  # fmt: skip


def saving(**changes: Any) -> Savings:
    """A statement of one saving of ten weeks."""
    line = {
        "id": "weeks", "title": "t", "basis": "measured", "why": "w", "unit_cost": "placement",
        "factors": [{"of": "weeks", "value": 10}],
    } | changes  # fmt: skip
    return Savings.model_validate(
        {"format": "savings/v1", "title": "t", "source": "s", "lines": [line]}
    )


def sums(found: Report) -> tuple[int, int]:
    """Cashable and modelled pounds."""
    return int(found.cashable.central), int(found.modelled.central)


def three(line: Saved) -> tuple[int, int, int]:
    """Low, central and high pounds of a line."""
    return int(line.pounds.low), int(line.pounds.central), int(line.pounds.high)


def test_the_test_vectors_are_reproduced_to_the_pound() -> None:
    """Every line of DESIGN 11 comes out, and so do the two places where its source is at odds."""
    found = report(read_edited(EXAMPLE, Savings))
    one = report(saving(unit_cost=None, rate={"pounds": 435, "unit": "week", "source": "s"},
                        factors=[{"of": "weeks", "before": 38, "after": 24}]))  # fmt: skip
    assert one.lines[0].pounds.central == 6_090
    assert [line.pounds.central for line in found.lines] == [487_200, 22_340, 21_255]
    assert found.lines[1].units == 1_312
    assert found.remarks == (
        "shorter_engagement: the source prints 487,000; its own numbers give 487,200",
        "administration: the source prints 21,255 and 21,225; used here: 21,255",
        (
            "total: the source prints 584,762; the lines held here come to 530,795, "
            "which leaves 53,967 that none of them explains"
        ),
    )
    assert found.cashable.central == 0


def test_cashable_takes_a_measure_a_budget_and_a_cashable_cost() -> None:
    """Without any one of the three, pounds are modelled; the two are never one sum."""
    whole = report(saving(left_budget="placements"), costs())
    assert sums(whole) == (1_005, 0)
    for statement, catalogue in (
        (saving(), costs()),
        (saving(basis="modelled"), costs()),
        (saving(left_budget="placements"), costs(cashable=False)),
    ):
        found = report(statement, catalogue)
        assert sums(found) == (0, 1_005)
    with pytest.raises(ValidationError, match="has left no budget"):
        saving(basis="modelled", left_budget="placements")
    with pytest.raises(ValidationError, match="only a cost that is fiscal"):
        costs(includes=["fiscal", "social"])
    rate = {"pounds": 1, "unit": "u", "source": "s", "cashable": True}
    for includes in ([], ["social"], ["fiscal", "economic"]):
        with pytest.raises(ValidationError, match="only a cost that is fiscal"):
            saving(unit_cost=None, rate=rate | {"includes": includes})
    own = saving(unit_cost=None, rate=rate | {"includes": ["fiscal"]}, left_budget="placements")
    assert sums(report(own)) == (10, 0)


def test_uncertainty_is_stated() -> None:
    """Low and high ends of factors and costs are carried to the line, where any is given."""
    found = report(saving(factors=[{"of": "w", "value": 10, "low": 5, "high": 12}]), costs())
    line = found.lines[0]
    assert three(line) == (450, 1_005, 1_440)
    assert line.has_range
    worse = report(saving(factors=[{"of": "w", "before": 10, "after": 14}]), costs()).lines[0]
    assert three(worse) == (-480, -402, -360)


def test_another_year_takes_a_deflator() -> None:
    """1955-56 pounds in 1962-63, by HM Treasury's index; a year that is not in it is refused."""
    catalogue = costs()
    found = in_prices_of(catalogue.costs[0], "1962-63", catalogue)
    assert found == (Range(*(Decimal(p) * Decimal("5.387") for p in ("100.50", "90", "120"))),
                     Decimal("4.321"))  # fmt: skip
    assert report(saving(), catalogue, "1962-63").lines[0].pounds.central == 1_253
    with pytest.raises(NoDeflator, match="no index of prices for 2025-26"):
        report(saving(), catalogue, "2025-26")
    with pytest.raises(UnknownCost, match="no cost placement"):
        report(saving())


def test_what_comes_to_half_a_pound_is_rounded_up() -> None:
    """Divided last: a third of 1.50 pounds, three times over at 1/3 each, is a pound and a half."""
    index = {"1955-56": "3", "1962-63": "1"}
    deflator = {"name": "GDP", "source": SOURCE, "index": index}
    catalogue = costs(pounds="1.50", low=None, high=None)
    catalogue = UnitCosts.model_validate(catalogue.model_dump() | {"deflator": deflator})
    three_times = saving(factors=[{"of": "weeks", "value": 3}])
    assert report(three_times, catalogue, "1962-63").lines[0].pounds.central == 2


def test_more_than_can_be_worked_out_is_said() -> None:
    """Whatever is multiplied: the line is named, and nothing is shown that is not to the pound."""
    factors = [{"of": f"x{at}", "value": "9999999999"} for at in range(3)]
    with pytest.raises(TooLarge, match="weeks: its factors come to more"):
        report(saving(factors=factors), costs())


@given(
    st.lists(st.decimals(0, 10_000, places=2), min_size=1, max_size=8),
    st.decimals(0, 1, places=4),
)
def test_totals_are_sums_of_the_lines_as_shown(prices: list[Decimal], share: Decimal) -> None:
    """For any prices: each line is a whole number of pounds, and the total is their sum."""
    lines = [
        {"id": f"line{at}", "title": "t", "basis": "modelled", "why": "w", "attributed": share,
         "factors": [{"of": "x", "value": 3}], "rate": {"pounds": p, "unit": "u", "source": "s"}}
        for at, p in enumerate(prices)
    ]  # fmt: skip
    statement = {"format": "savings/v1", "title": "t", "source": "s", "lines": lines}
    found = report(Savings.model_validate(statement))
    assert all(line.pounds.central % 1 == 0 for line in found.lines)
    assert found.modelled.central == sum(line.pounds.central for line in found.lines)
    for line, price in zip(found.lines, prices, strict=True):
        assert abs(line.pounds.central - price * 3 * share) <= Decimal("0.5")


def test_every_shipped_cost_has_a_source() -> None:
    """What comes with the program is read without a fault, and says where it was read."""
    found = [read_catalogue(name, PACKAGE, UnitCosts) for name in names_in(PACKAGE)]
    assert found
    assert all("http" in cost.source.read_in for each in found for cost in each.costs)


def test_the_commands_show_what_they_found() -> None:
    """A catalogue is checked by its name; a report keeps the two sums apart, in JSON too."""
    checked = CliRunner().invoke(app, ["--json", "money", "check", "uk-offences-2018"])
    assert json.loads(checked.stdout)["costs"][0]["pounds"] == "14050"
    shown = CliRunner().invoke(app, ["--json", "money", "report", str(EXAMPLE)])
    data = json.loads(shown.stdout)
    assert (data["cashable"]["central"], data["modelled"]["central"]) == ("0", "530795")
    assert len(data["remarks"]) == 3
    plain = CliRunner().invoke(app, ["money", "report", str(EXAMPLE)])
    assert "the two are not added up" in plain.stdout


def test_a_report_is_verified_to_the_penny(tmp_path: Path) -> None:
    """Of this statement and no other; a pound more is found out."""
    out = tmp_path / "money.json"
    made = CliRunner().invoke(app, ["money", "report", str(EXAMPLE), f"--out={out}"])
    assert made.exit_code == 0, made.output
    verify = ["money", "verify", str(out), str(EXAMPLE)]
    assert CliRunner().invoke(app, verify).exit_code == 0
    other = tmp_path / "other.yaml"
    text = EXAMPLE.read_text("utf-8")
    assert "435" in text
    other.write_text(text.replace("435", "436", 1), "utf-8")
    refused = CliRunner().invoke(app, ["money", "verify", str(out), str(other)])
    assert isinstance(refused.exception, NotMadeSo)
    assert "savings" in str(refused.exception)
    out.write_bytes(out.read_bytes().replace(b"487200", b"487201", 1))
    changed = CliRunner().invoke(app, verify)
    assert isinstance(changed.exception, NotMadeSo)
    assert "not as it was written" in str(changed.exception)
