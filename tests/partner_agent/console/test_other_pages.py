"""Rights, protection, answers and standing at the page: what the commands do, and no more."""

import re
from collections.abc import Iterator

import pytest

from partner_agent.console.pages import answers as answer_pages
from partner_agent.releases.errors import LocalRefusal
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.consent_world import decide, hold
from tests.partner_agent.console.console_world import Officer, serving
from tests.partner_agent.console.test_people_pages import PEOPLE, SOURCE, find

REQUEST = f"sha256:{'a' * 64}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """A council that holds two people."""
    with hub_world_in(tmp_path_factory.mktemp("world")) as found:
        hold(found, *PEOPLE.items())
        yield found


@pytest.fixture(scope="module")
def officer(world: HubWorld) -> Iterator[Officer]:
    """The council's data officer, signed in."""
    with serving(world.agents["council"].home) as found:
        found.enter()
        yield found


def test_an_objection_is_opened_carried_out_and_closed(world: HubWorld, officer: Officer) -> None:
    """The clock runs from the day it came; nothing is done without being asked once more."""
    agent = world.agents["council"]
    decide(world, "H2")
    person = find(officer, "H2")
    assert officer.post(f"{person}/right").status_code == 422
    future = {"kind": "objection", "day": "1", "month": "1", "year": "2099"}
    assert "today or before" in officer.post(f"{person}/right", **future).text
    listed = officer.post(f"{person}/right", kind="objection").text
    assert "days left" in listed
    place = re.search(r"/rights/[0-9a-f]{32}", listed)
    assert place is not None
    asked = officer.get(f"{place[0]}/carry-out").text
    assert "1 record is taken out for good" in asked
    assert agent.vault.find(SOURCE, "H2")
    done = officer.post(f"{place[0]}/carry-out").text
    assert "Carried out here on" in done
    assert not agent.vault.find(SOURCE, "H2")
    assert officer.post(f"{place[0]}/close").status_code == 422
    refused = officer.post(f"{place[0]}/close", outcome="refused", reason="because")
    assert refused.status_code == 422
    assert "It was done" in officer.post(f"{place[0]}/close", outcome="done").text
    assert "was not closed" in officer.post(f"{place[0]}/close", outcome="done").text
    assert officer.get(f"/rights/{'0' * 32}").status_code == 404


def test_an_access_request_is_answered_with_files_that_closing_destroys(
    world: HubWorld, officer: Officer
) -> None:
    """The report is on this disk alone, and not on the page."""
    agent = world.agents["council"]
    person = find(officer, "H1")
    listed = officer.post(f"{person}/right", kind="access").text
    place = re.findall(r"/rights/[0-9a-f]{32}", listed)[0]
    assert "How was the person answered?" in officer.get(f"{place}/report").text  # none is there
    page = officer.post(f"{place}/report").text
    assert "The report is written" in page
    files = list((agent.home / "rights").iterdir())
    assert len(files) == 2
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    refused = officer.post(f"{place}/close", outcome="refused")
    assert refused.status_code == 422
    assert "Closed" in officer.post(f"{place}/close", outcome="done").text
    assert not list((agent.home / "rights").iterdir())


def test_people_and_homes_are_protected_at_once(world: HubWorld, officer: Officer) -> None:
    """The register counts from the page's answer on, and names nobody."""
    agent = world.agents["council"]
    person = find(officer, "H1")
    protected = officer.post(f"{person}/protect").text
    assert "is protected" in protected
    (row,) = agent.vault.get_many(agent.vault.find(SOURCE, "H1")).values()
    assert agent.protections.guard().stored(row)
    assert officer.post("/protected/home", address="nowhere").status_code == 422
    listed = officer.post("/protected/home", address="1 Refuge Row", postcode="BN1 1AA").text
    assert "a home" in listed
    assert "Refuge" not in listed
    assert "quixwaldine" not in listed.lower()
    assert "End the protection of entry 1?" in officer.get("/protected/1/end").text
    officer.post("/protected/1/end")
    assert not agent.protections.guard().stored(row)
    assert officer.get("/protected/99/end").status_code == 404


def test_a_refusal_is_shown_with_its_reason_at_home(world: HubWorld, officer: Officer) -> None:
    """The officer reads why; the page says what others were told."""
    desk = world.agents["council"].desk
    desk._kept.refuse(
        REQUEST, "release.protected", "release.local", desk._refusal(REQUEST, "release.local")
    )
    listed = officer.get("/answers").text
    assert "a home of the family is protected" in listed
    shown = officer.get(f"/answers/{'a' * 64}").text
    assert "one and the same word" in shown
    assert "not yet" in shown
    assert officer.get(f"/answers/{'b' * 64}").status_code == 404
    answered = officer.post("/answers/now")
    assert answered.status_code == 200


def test_every_reason_of_ones_own_has_words(officer: Officer) -> None:
    """No local refusal is shown as a bare code."""
    words = answer_pages.reason_words(officer.running.console)
    assert {kind.reason for kind in LocalRefusal.__subclasses__()} <= set(words)


def test_standing_says_when_the_ledger_was_cosigned(world: HubWorld, officer: Officer) -> None:
    """Counts and states; asking the ledger brings them up to date."""
    agent = world.agents["council"]
    page = officer.post("/standing/ask").text
    assert "in force; to be reviewed" in page
    assert "not yet" not in page
    assert agent.ledger.witnessed_at() is not None
    decide(world, "H1")
    assert agent.ledger.witnessed_at() is None  # the copy is ahead of what was cosigned
    agent.ledger.witness()
    witnessed = agent.ledger.witnessed_at()
    assert witnessed is not None
    assert abs((witnessed - agent.now()).total_seconds()) < 60
