"""Whoever is protected is never released, and nobody outside can tell that this is why."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from governance.agreements.policy import Standing
from governance.ledger.events import EventType
from governance.ledger.payloads import ReleaseRefused, read_payload
from partner_agent.app import Agent, init_agent
from partner_agent.cleansing.address import clean_address
from partner_agent.extracts.model import Extract
from partner_agent.protection.errors import ProtectionInput
from partner_agent.releases.errors import (
    AgeMismatch,
    LocalRefusal,
    NotHeld,
    ProtectedPerson,
    WithdrawnHere,
    told,
)
from partner_agent.rights.errors import BlockedHere
from partner_agent.settings import AgentSettings
from partner_agent.submissions.prepare import Workshop, prepare
from partner_agent.vault.occurrences import Occurrences
from partner_agent.vault.store import Row
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.consent_world import run
from tests.partner_agent.releases.test_desk import (
    approve,
    ask,
    both_agree,
    consent,
    submit_and_link,
)
from tests.partner_agent.submissions.test_prepare import mapping, setting

__all__ = ["setting"]
ADA = {"first_name": "ada", "surname": "quixwald", "date_of_birth": "1980-02-01"}
SOURCE = "council_records"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    """A council that has submitted a family and a protected person."""
    with hub_world_in(tmp_path) as found:
        submit_and_link(found)
        yield found


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    """An agent whose vault holds Ada."""
    init_agent(tmp_path / "home", "council", "Council", "file", None)
    found = Agent(tmp_path / "home", AgentSettings(party="council"))
    row = Row("A1", {"source_record_id": "A1", "nhs_number": "9434765919", **ADA}, {}, False)
    found.vault.put(SOURCE, [row], date(2026, 1, 1), Occurrences())
    yield found
    found.close()


def refuse(world: HubWorld, record_id: str) -> tuple[str | None, bytes, dict[str, Any]]:
    """What of a refused request the council knows, the hub is told, and the ledger holds."""
    posts: list[bytes] = []
    agent = world.agents["council"]
    request = ask(world, record_id).json()["id"]
    approve(world, request)
    with pytest.MonkeyPatch.context() as watched:
        answer = agent.hub.answer

        def watch(id_: str, post: Any) -> None:
            posts.append(post.model_dump_json().encode())
            answer(id_, post)

        watched.setattr(agent.hub, "answer", watch)
        answers, _ = agent.desk.answer_all(agent.hub)
    (known,) = (item.reason for item in answers if item.request == request)
    (post,) = posts
    agent.ledger.sync()
    payloads = [
        read_payload(event)
        for event in agent.ledger.mirror.entries()
        if event.leaf.type is EventType.RELEASE_REFUSED
    ]
    (payload,) = (found for found in payloads if found.request == request)
    assert isinstance(payload, ReleaseRefused)
    return known, post, payload.model_dump(exclude={"request"})


@pytest.mark.invariant(23, "protection beside another local refusal", double="lies")
def test_protection_looks_like_any_other_local_refusal(world: HubWorld) -> None:
    """A mark in the extract, a person or home in the register, a row that is gone: one answer."""
    agent = world.agents["council"]
    both_agree(world)
    consent(world, "B1")
    found = [refuse(world, "B1")]
    entry = agent.protections.add_person(SOURCE, "A2", agent.now())
    found.append(refuse(world, "A1"))
    agent.protections.remove(entry)
    entry = agent.protections.add_home("", "1, High Street", "ze10aa", agent.now())
    found.append(refuse(world, "A1"))
    agent.protections.remove(entry)
    agent.vault.forget(SOURCE, ["A1"])
    found.append(refuse(world, "A2"))
    known = [reason for reason, _, _ in found]
    assert known == ["release.protected"] * 3 + ["release.record_not_held"]
    assert len({post for _, post, _ in found}) == 1
    assert [payload for *_, payload in found] == [
        {"party": "council", "reason": "release.local"}
    ] * 4


@pytest.mark.parametrize(
    "kind", [ProtectedPerson, AgeMismatch, NotHeld, WithdrawnHere, BlockedHere, LocalRefusal]
)
def test_every_refusal_about_a_person_is_told_alike(kind: type[LocalRefusal]) -> None:
    """Whichever of its own records speaks against it, a partner gives one reason."""
    assert told(kind("why")) == "release.local"


@pytest.mark.invariant(3, "a person who becomes protected while sealed items wait")
def test_a_protection_takes_back_what_has_not_left(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed items that wait for the hub are destroyed when somebody becomes protected."""
    both_agree(world)
    request = ask(world).json()["id"]
    approve(world, request)
    agent = world.agents["council"]
    with monkeypatch.context() as away:
        away.setattr(agent.desk, "deliver", lambda _hub: [])
        answers, _ = agent.desk.answer_all(agent.hub)
    assert [item.sealed for item in answers] == [True]
    agent.protections.add_person(SOURCE, "A1", agent.now())
    answers, _ = agent.desk.answer_all(agent.hub)
    assert [(item.sealed, item.reason) for item in answers] == [(False, "release.protected")]
    release = world.call("service_manager", "GET", f"/v1/requests/{request}/release").json()
    assert not release.get("sealed")


def test_a_person_is_known_in_every_row_and_a_home_by_every_spelling(agent: Agent) -> None:
    """By identifier or name with birth date; by UPRN or address; one letter less is another."""
    agent.protections.add_person(SOURCE, "A1", agent.now())
    agent.protections.add_home("000100", "", "", agent.now())
    agent.protections.add_home("", "9 Low Street, Lerwick", "ze1 0ab", agent.now())
    guard = agent.protections.guard()
    assert guard.covers(SOURCE, {"source_record_id": "A1"})
    assert not guard.covers("council_other", {"source_record_id": "A1"})
    assert guard.covers("council_other", {"source_record_id": "Z9", **ADA})
    assert guard.covers("council_other", {"nhs_number": "9434765919"})
    assert not guard.covers("council_other", {**ADA, "surname": "quixwal"})
    assert not guard.covers("council_other", {"first_name": "ada", "surname": "quixwald"})
    assert guard.covers("council_other", {"uprn": "100"})
    address = clean_address("9 Low St.", has_postcode=True).value
    assert guard.covers("council_other", {"address": address, "postcode": "ZE1 0AB"})
    assert not guard.covers("council_other", {"address": address})


@pytest.mark.invariant(16, "the register of protected people and homes")
def test_the_register_says_neither_who_nor_where(agent: Agent) -> None:
    """Whoever steals the database finds keyed hashes; another vault's key gives others."""
    agent.protections.add_person(SOURCE, "A1", agent.now())
    agent.protections.add_home("", "9 Low Street", "ZE1 0AB", agent.now())
    with agent.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM protections").all()
    text = repr(rows).lower()
    assert not any(secret in text for secret in ("ada", "quixwald", "low st", "ze1", "9434765919"))
    assert [entry.what for entry in agent.protections.entries()] == ["person", "home"]
    agent.protections.remove(1)
    assert not agent.protections.guard().covers(SOURCE, {"source_record_id": "A1", **ADA})
    with pytest.raises(ProtectionInput):
        agent.protections.remove(1)
    with pytest.raises(ProtectionInput):
        agent.protections.add_home("", "9 Low Street", "", agent.now())


Setting = tuple[Agent, Workshop, Standing, Extract]


def test_a_protected_row_is_encoded_without_its_home(setting: Setting) -> None:
    """The register marks a row as the extract's own column would."""
    holder, workshop, standing, extract = setting
    holder.protections.add_person(SOURCE, "A1", holder.now())
    prepare(workshop, standing, extract, mapping())
    (handle,) = holder.vault.find(SOURCE, "A1")
    assert holder.vault.get(handle).protected
    (handle,) = holder.vault.find(SOURCE, "A3")
    assert not holder.vault.get(handle).protected


def test_a_protected_row_says_nothing_of_its_area(setting: Setting) -> None:
    """An area is an indicator too: of a protected row it is unknown, and others are not."""
    holder, workshop, standing, extract = setting
    holder.protections.add_person(SOURCE, "A1", holder.now())
    data = standing.agreement.model_dump(mode="json")
    kept = data["indicators"][0] | {"owners": ["council"]}
    data["indicators"] = [kept, kept | {"id": "area_high", "used_as": "area"}]
    for source in data["sources"]:
        own = source["id"] == SOURCE
        source["indicators"] = ["offence", "area_high"] if own else []
    agreed = Standing(
        type(standing.agreement).model_validate(data), standing.signed_by, frozenset(),
        superseded=False,
    )  # fmt: skip
    rule = {"column": "ADDR", "equals": ["1 High Street"]}
    done = prepare(workshop, agreed, extract, mapping(indicators=dict.fromkeys(
        ("offence", "area_high"), rule,
    )))  # fmt: skip
    with pa.ipc.open_file(done.content) as reader:
        table = reader.read_all()
    said = {
        row["handle"]: {each["indicator"] for each in row["indicators"]}
        for row in table.select(["handle", "indicators"]).to_pylist()
    }
    told = {record: said[holder.vault.find(SOURCE, record)[0]] for record in ("A1", "A3")}
    assert told == {"A1": {"offence"}, "A3": {"offence", "area_high"}}


def test_a_row_that_comes_later_tells_by_what_the_person_is_known(setting: Setting) -> None:
    """Added before any row was prepared, known in every source from the next extract on."""
    holder, workshop, standing, extract = setting
    entry = holder.protections.add_person(SOURCE, "A1", holder.now())
    assert not holder.protections.guard().covers("council_other", ADA)
    prepare(workshop, standing, extract, mapping())
    clean = holder.vault.get(holder.vault.find(SOURCE, "A1")[0]).clean
    elsewhere = {name: clean[name] for name in ("first_name", "surname", "date_of_birth")}
    assert holder.protections.guard().covers("council_other", elsewhere)
    assert [found.entry for found in holder.protections.entries()] == [entry]
    holder.protections.remove(entry)
    assert not holder.protections.guard().covers("council_other", elsewhere)


@pytest.mark.invariant(12, "a protected row, where the agreement says never")
def test_a_protected_row_is_never_encoded_where_the_agreement_says_so(setting: Setting) -> None:
    """It reaches neither vault nor file, and is counted like a row that could not be encoded."""
    holder, workshop, standing, extract = setting
    holder.protections.add_home("", "1 High Street", "ZE1 0AA", holder.now())
    holder.protections.add_person(SOURCE, "A1", holder.now())
    agreement = standing.agreement.model_copy(update={"protected": "never_encoded"})
    done = prepare(
        workshop, Standing(agreement, standing.signed_by, frozenset(), superseded=False), extract,
        mapping(),
    )  # fmt: skip
    counts = done.manifest.counts
    assert (counts.rows, counts.submitted, counts.opted_out, counts.rejected) == (4, 1, 1, 2)
    assert holder.vault.find(SOURCE, "A1") == []
    assert "Quixwald" not in done.rejects.read_text("utf-8")


def test_the_command_takes_a_home_from_a_file(hub_world: HubWorld, tmp_path: Path) -> None:
    """No address is on a command line; the list shows no address either."""
    home = tmp_path / "home.yaml"
    home.write_text("address: 1 High Street\npostcode: ZE1 0AA\n", "utf-8")
    code, out, err = run(hub_world, "protect", "add", "--home", home)
    assert (code, out) == (0, "entry 1\n"), err
    code, out, err = run(hub_world, "protect", "list")
    assert "home" in out
    assert "high" not in (out + err).lower()
    assert run(hub_world, "--no-input", "protect", "remove", "1")[0] != 0
    assert run(hub_world, "protect", "remove", "1", "--yes")[0] == 0
    home.write_text("adress: 1 High Street\n", "utf-8")
    code, _, err = run(hub_world, "protect", "add", "--home", home)
    assert code == 65
    assert "high" not in err.lower()
