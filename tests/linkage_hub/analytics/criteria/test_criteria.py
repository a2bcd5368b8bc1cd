"""Criteria as data: who is put forward, and what another catalogue would change."""

import csv
import json
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from governance.agreements.criteria import Criteria, Rule
from governance.agreements.differences import meaning
from governance.agreements.files import read_agreement, write_agreement
from governance.canonical import hash_of
from linkage_hub.analytics.criteria.agreed import (
    NotAgreed,
    differing,
    require_agreed,
    require_named,
)
from linkage_hub.analytics.criteria.judging import (
    difference,
    eligible,
    judge,
    prevalence,
    succeeded,
)
from linkage_hub.analytics.edited import FileNotUsable, parse_edited
from linkage_hub.analytics.exported import read_families
from linkage_hub.analytics.needs import MET, UNKNOWN, UNMET
from linkage_hub.analytics.shipped import names_in, read_catalogue
from linkage_hub.cli.catalogue import PACKAGE
from linkage_hub.cli.main import app
from tests.linkage_hub.analytics.exports import write_export
from tests.linkage_hub.analytics.test_tables import write_terms

NAMES: Final = ("a1", "b2", "c3", "d4")
RULES = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True).flatmap(
    lambda of: st.builds(Rule, of=st.just(tuple(of)), at_least=st.integers(1, len(of)))
)
FAMILY = st.tuples(*(st.sampled_from([UNKNOWN, UNMET, MET]) for _ in NAMES))


def one(rule: Rule, family: tuple[int, ...]) -> int:
    """The state of one family's need."""
    states = {
        name: np.array([state], dtype=np.int8) for name, state in zip(NAMES, family, strict=True)
    }
    return int(eligible(rule, states)[0])


def completions(family: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Every way in which what is unknown may turn out."""
    return product(*((UNMET, MET) if state == UNKNOWN else (state,) for state in family))


@given(RULES, FAMILY)
def test_unknown_is_never_counted_as_unmet(rule: Rule, family: tuple[int, ...]) -> None:
    """For any rule and family: met or unmet only where it is so whatever the unknown turns out."""
    found = {one(rule, whole) for whole in completions(family)}
    assert UNKNOWN not in found
    assert one(rule, family) == (found.pop() if len(found) == 1 else UNKNOWN)


@given(RULES, FAMILY)
def test_success_takes_indicators_that_are_known_to_be_unmet(
    rule: Rule, family: tuple[int, ...]
) -> None:
    """For any rule and family: a need that nobody speaks of any more is not a success."""
    states = {
        name: np.array([state], dtype=np.int8) for name, state in zip(NAMES, family, strict=True)
    }
    unmet = sum(family[NAMES.index(name)] == UNMET for name in rule.of)
    assert (int(succeeded(rule, states)[0]) == MET) == (unmet >= rule.at_least)


def shipped() -> dict[str, Criteria]:
    """The catalogues that come with the program."""
    return {name: read_catalogue(name, PACKAGE, Criteria) for name in names_in(PACKAGE)}


def test_the_shipped_catalogues_are_what_they_say() -> None:
    """Six problems and at least two, ten outcomes and at least three, one local; with dates."""
    found = shipped()
    sizes = {name: (len(each.needs), each.minimum) for name, each in found.items()}
    assert sizes == {"uk-tf-2015": (6, 2), "uk-sf-2022": (10, 3), "local-example": (9, 2)}
    assert all(name == each.id for name, each in found.items())
    days = (date(2015, 3, 31), date(2015, 4, 1), date(2022, 10, 2), date(2022, 10, 3))
    assert [found["uk-tf-2015"].holds_on(day) for day in days] == [False, True, True, False]
    assert [found["uk-sf-2022"].holds_on(day) for day in days] == [False, False, False, True]
    assert found["local-example"].holds_on(date(2050, 1, 1))


def test_families_are_put_forward_as_the_hub_does(tmp_path: Path) -> None:
    """Where each indicator is a need and two are enough, the catalogue flags whom the run flags."""
    local = shipped()["local-example"]
    write_export(tmp_path, local.indicators)
    families = read_families(tmp_path, local.indicators)
    found = judge(local, families)
    assert found.flagged.sum() > 100
    assert (found.flagged == families.flagged).all()
    assert not (found.undecided & found.flagged).any()
    assert (found.met[found.undecided] < 2).all()
    assert found.below.any()
    assert (found.met[found.below] == 1).all()
    assert not families.in_programme[found.below].any()
    counts = prevalence(found)["neet"]
    assert sum(counts.values()) == len(families.family)


def test_a_family_without_a_known_child_is_counted_apart(tmp_path: Path) -> None:
    """Where a catalogue asks for a child, a family of which none is known is not put forward."""
    old = shipped()["uk-tf-2015"]
    write_export(tmp_path, old.indicators)
    families = read_families(tmp_path, old.indicators)
    found = judge(old, families)
    assert found.child_unknown.any()
    assert (families.children[found.child_unknown] == 0).all()
    assert (families.children[found.flagged | found.below] > 0).all()


def test_indicators_that_nobody_submits_leave_needs_unknown(tmp_path: Path) -> None:
    """A need that no source speaks of is unknown for all, and puts nobody forward."""
    write_export(tmp_path, ["neet"])
    found = judge(shipped()["uk-sf-2022"], read_families(tmp_path, ["neet"]))
    assert set(np.unique(found.state[:, 0])) == {UNKNOWN}
    assert not found.flagged.any()
    assert (found.state[:, -1] != UNMET).all()  # three of the four indicators of money are unknown


def run(*words: str) -> Result:
    """A command."""
    return CliRunner().invoke(app, ["--json", "catalogue", *words])


def test_two_catalogues_are_held_against_each_other(tmp_path: Path) -> None:
    """Counts add up, and the list names exactly the families that only one puts forward."""
    names = shipped()["local-example"].indicators
    write_export(tmp_path, names)
    changes = tmp_path / "changes.csv"
    result = run("diff", "uk-tf-2015", "uk-sf-2022", str(tmp_path), "--out", str(changes))
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert data["both"] + data["only_first"] + data["only_second"] + data["neither"] == 400
    assert data["both"] + data["only_first"] == data["catalogues"][0]["flagged"]
    with changes.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == data["only_first"] + data["only_second"] > 0
    for row in rows:
        met = row[f"needs_met {row['put_forward_by']}"].split()
        assert len(met) >= (2 if row["put_forward_by"] == "uk-tf-2015" else 3)
    families = read_families(tmp_path, names)
    same = judge(shipped()["uk-tf-2015"], families)
    assert len(difference(same, same).changed) == 0


def test_a_check_says_what_the_agreement_cannot_tell(tmp_path: Path) -> None:
    """An editor learns which needs no indicator of the agreement speaks of."""
    terms = tmp_path / "agreement.yaml"
    write_terms(terms)
    result = run("check", "local-example", "--agreement", str(terms))
    needs = {each["need"]: each for each in json.loads(result.stdout)["needs"]}
    assert needs["neet"]["not_in_agreement"] == []
    assert needs["mental_health"]["not_in_agreement"] == ["mental_health"]
    assert "always unknown" in result.stderr
    listed = json.loads(run("list").stdout)
    assert [each["id"] for each in listed] == sorted(shipped())


def test_an_agreement_names_its_catalogue(tmp_path: Path) -> None:
    """By its hash: another is refused, and one that asks for another number of needs."""
    terms = tmp_path / "agreement.yaml"
    write_terms(terms)
    plain = read_agreement(terms)
    local, other = (read_catalogue(n, PACKAGE, Criteria) for n in ("local-example", "uk-sf-2022"))
    require_agreed(other, plain)
    named = plain.model_copy(update={"criteria": hash_of(local), "minimum_needs": local.minimum})
    terms.write_text(write_agreement(named), "utf-8")
    assert json.loads(run("check", "local-example").stdout)["hash"] == hash_of(local)
    assert run("check", "local-example", "--agreement", str(terms)).exit_code == 0
    refused = run("check", "uk-sf-2022", "--agreement", str(terms))
    assert isinstance(refused.exception, NotAgreed)
    options = (f"--agreement={terms}", "--hub=http://127.0.0.1:9", f"--as={tmp_path / 'nobody'}",
               "--catalogue=uk-sf-2022", f"--out={tmp_path / 'report'}")  # fmt: skip
    report = CliRunner().invoke(app, ["programme", "report", *options])
    assert isinstance(report.exception, NotAgreed)  # before keys are read or anybody is asked
    more = named.model_copy(update={"minimum_needs": local.minimum + 1})
    with pytest.raises(NotAgreed, match="which runs go by"):
        require_agreed(local, more)
    require_named(local, more)  # it may be in force: reports warn
    assert differing(local, named) is None
    assert "runs put families forward by the agreement" in str(differing(local, more))
    assert any("explained by the catalogue" in line for line in meaning(plain, named))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("minimum: 2", "minimum: 20", "minimum: more than there are needs"),
        ("[neet]}\n    success", "[offence]}\n    success", "needs, neet: success: indicators"),
        (
            "eligibility: {of: [neet]}",
            "eligibility: neet > 1",
            "needs, neet, eligibility: expected",
        ),
        ("of: [neet]}", "of: [in_programme]}", "says who is helped already"),
        ("of: [neet]}", "of: [neet], at_least: 2}", "at_least: more than there are indicators"),
        ("missing: unknown", "missing: unmet", "missing: expected 'unknown'"),
        ("2026-04-01", "April", "valid_from: expected a date"),
        ("{terms: 3,", "{terms: 3, months: 1,", "sustain: give months or terms"),
        ("short_of: 80", "short_of: 95", "bands: expected ever farther from the target"),
        ("short_of: 90", "short_of: 85", "bands: the first is short of the target itself"),
        ("school_absence_50,", "school_absence_80,", "bands: the same indicator twice"),
        ("months: 12, indicator", "months: 1, indicator", "joined: expected the shortest first"),
    ],
)
def test_an_editor_is_told_what_is_wrong(old: str, new: str, said: str) -> None:
    """Rules that are expressions, facts counted twice, a missing that is unmet: each is refused."""
    text = (files(PACKAGE) / "catalogues" / "local-example.yaml").read_text("utf-8")
    with pytest.raises(FileNotUsable) as refused:
        parse_edited(text.replace(old, new).encode(), Criteria, "mine.yaml")
    assert said in refused.value.message


def test_a_fact_counts_once() -> None:
    """One indicator under two needs would put a family forward for a single fact."""
    data: dict[str, Any] = shipped()["local-example"].model_dump()
    need = data["needs"][6] | {"id": "again"}
    with pytest.raises(ValueError, match="counts for one need only: neet"):
        Criteria.model_validate(data | {"needs": [*data["needs"], need]})
