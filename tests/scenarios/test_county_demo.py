"""The main job as one story: every program a process, real HTTP, the demo's own steps."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from examples.county.cycle.__main__ import LEAST_KEPT, month
from examples.county.cycle.county import next_county
from examples.county.cycle.standing import resumed, stands
from examples.county.demo.__main__ import Teller
from examples.county.demo.__main__ import app as demo
from examples.county.demo.again import Ports, reopened
from examples.county.demo.processes import free_port
from examples.county.demo.site import Addresses, Site
from tests.chromium import browser_page
from tests.scenarios.browser_story import Desk, tell
from tests.scenarios.quick import quick_commands

PERSONS = 800
STORY_SECONDS = 880  # at most, on a machine that has other things to do


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The demo, run once; its folder and figures."""
    root = tmp_path_factory.mktemp("demo")
    figures_file = root / "figures.json"
    words = ["--persons", str(PERSONS), "--keep", str(root / "county"), "--json", str(figures_file),
             "--programme"]  # fmt: skip
    with quick_commands(root / "said"):
        done = CliRunner().invoke(demo, words)
    if done.exception is not None:
        pytest.fail(done.output[-3_000:] + repr(done.exception))
    return root / "county", json.loads(figures_file.read_text("utf-8"))


@pytest.fixture(scope="module")
def again(told: tuple[Path, Any]) -> Iterator[tuple[Site, Addresses, Ports]]:
    """The same county, brought up again from its folder."""
    site, ports = Site(told[0]), Ports(free_port(), free_port(), free_port())
    with reopened(site, ports) as at:
        yield site, at, ports


@pytest.mark.slow
@pytest.mark.timeout(STORY_SECONDS + 20)
@pytest.mark.invariant(16, "a whole run, searched")
@pytest.mark.invariant(2, "a withdrawal before approval, all processes")
def test_a_county_runs_from_extracts_to_a_release_and_a_refusal(told: tuple[Path, Any]) -> None:
    """One release is opened, one is refused after a withdrawal, and no planted name leaks."""
    root, figures = told
    assert figures["canaries_found"] == 0
    evidence = figures["evidence"]
    assert evidence["compared"]
    assert evidence["entries"] > 0
    assert evidence["witnesses"] >= 2
    assert 0 < evidence["events"] <= figures["ledger_events"]
    rows = figures["rows"]
    assert rows["rows"] == rows["submitted"] + rows["rejected"] + rows["opted_out"]
    assert rows["opted_out"] > 0
    assert figures["run"]["records"] == rows["submitted"]
    # Sources of a few dozen records each: the secret is new at each run, so figures move.
    assert figures["persons"]["precision"] > 0.70
    assert figures["persons"]["recall"] > 0.85
    assert figures["flags"]["found"] >= 0.6 * figures["flags"]["should_be"]
    _check_modes(root)
    record = json.loads((root / "transparency" / "county-families.json").read_text("utf-8"))
    assert record["agreement"] == "county-families"


@pytest.mark.slow
@pytest.mark.timeout(STORY_SECONDS + 20)
@pytest.mark.invariant(16, "names that a manager reads in a browser, searched for, all processes")
@pytest.mark.invariant(2, "a second request in the browser after a withdrawal, all processes")
def test_the_council_works_in_the_browser(
    again: tuple[Site, Addresses, Ports], tmp_path: Path
) -> None:
    """The county is brought up again: request, approval, names read, withdrawal, refusal."""
    site, at, ports = again
    with browser_page() as page:
        browser = page.context.browser
        assert browser is not None
        with contextlib.closing(browser.new_context()) as other:
            manager = Desk("service_manager", page, site, at, ports)
            tell(manager, Desk("ig_lead", other.new_page(), site, at, ports), tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(STORY_SECONDS + 20)
def test_the_programme_has_a_second_month(
    again: tuple[Site, Addresses, Ports], tmp_path: Path
) -> None:
    """New extracts, linked again: ids are kept, and the report names what changed and why."""
    site, at, _ = again
    with quick_commands(tmp_path / "said"):
        story = resumed(site, at, refine=False)
        county = stands(site)
        assert county.number == 0
        figures = month(Teller(), story, next_county(county))
    assert figures["kept"]["persons"]["share"] >= LEAST_KEPT["persons"]
    assert figures["kept"]["families"]["both"] > 100
    assert (site.root / "month-1" / "report" / "report.html").is_file()
    assert stands(site).number == 1

    report = figures["report"]
    assert report["before"]["id"] != report["run"]["id"]
    members, forward = report["membership"], report["forward"]
    worked_with = members["stayed"] + members["joined"] + members["new_families"]
    assert members["worked_with"] == worked_with > 0
    assert members["before"] > 0
    added, dropped = (sum(forward[name].values()) for name in ("added", "dropped"))
    assert forward["now"] == forward["stayed"] + added
    assert forward["before"] == forward["kept"] + dropped
    assert added + dropped > 0
    assert 0 < sum(each["new"] for each in report["sources"]) < len(report["sources"])


def _check_modes(root: Path) -> None:
    """Secrets, vaults and opened releases are readable by their owner only."""
    private = [
        *root.rglob("*.secret"),
        *root.rglob("vault.key"),
        *root.rglob("agent.db"),
        *root.rglob("contact-sheet.json"),
        *root.rglob("*.rejects.csv"),
        *root.rglob("*.arrow"),
    ]
    assert len(private) > 20
    exposed = [path.name for path in private if path.stat().st_mode & 0o077]
    assert not exposed
