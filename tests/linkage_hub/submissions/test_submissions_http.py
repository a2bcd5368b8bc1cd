"""Submissions from an agent to the hub over real HTTP: sent, resumed, tampered with, refused."""

import csv
import random
from dataclasses import fields
from pathlib import Path

import pytest

from governance.agreements.errors import AgreementRefusal
from governance.canonical import b64, canonical_bytes
from governance.exchange.hub_client import HubRefused
from governance.identity.envelope import sign
from governance.identity.files import read_secret
from governance.ledger.events import EventType
from governance.ledger.payloads import AgreementStopped
from partner_agent.app import Agent
from partner_agent.extracts.mapping import parse_mapping
from partner_agent.extracts.reader import open_extract
from partner_agent.linkage_secret import (
    accept_secret,
    create_secret,
    load_keys,
    secret_path,
    share_secret,
)
from partner_agent.submissions.errors import OutboxError, SubmissionRefusedError
from partner_agent.submissions.prepare import SUBMISSION, Prepared, Workshop, prepare
from partner_agent.submissions.upload import submit
from tests.hub_world import HubWorld

CANARY = "Zephyrine Quixwald"
MAPPING = """
source: {source}
record_id: ID
columns: {{first_name: FIRST, surname: LAST, date_of_birth: DOB, address: ADDR, postcode: PC}}
"""


def extract(path: Path, rows: int = 60, seed: int = 7) -> Path:
    """A small extract of invented people, one of them a canary."""
    rng = random.Random(seed)
    first, last = ["Ana", "Bo", "Cem", "Dara", "Eve", "Finn"], ["Ash", "Birch", "Cole", "Dean"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ID", "FIRST", "LAST", "DOB", "ADDR", "PC"])
        given, family = CANARY.split()
        writer.writerow([0, given, family, "01/02/1980", "1 High Street", "ZE1 0AA"])
        for number in range(1, rows):
            day = f"{rng.randint(1, 28):02d}/{rng.randint(1, 12):02d}/{rng.randint(1940, 2015)}"
            street = f"{rng.randint(1, 90)} Mill Lane"
            writer.writerow([number, rng.choice(first), rng.choice(last), day, street, "ZE1 0AB"])
    return path


def prepared(world: HubWorld, agent: Agent, path: Path) -> Prepared:
    """An extract through the agent, into its outbox."""
    standing = agent.standing(agent.ledger.sync())
    if not secret_path(agent.home, standing.agreement).exists():
        if agent.settings.party == "council":
            create_secret(agent.home, standing.agreement, None)
            post = share_secret(agent.home, standing.agreement, agent.secrets, agent.ledger, None)
            agent.hub.post_secrets(post)
        else:
            accept_secret(
                agent.home, standing.agreement, agent.secrets, agent.ledger.state, agent.hub, None
            )
    keys = load_keys(agent.home, standing.agreement, None)
    workshop = Workshop(
        agent.home, agent.secrets, agent.database, agent.vault, agent.synthetic, keys, agent.now
    )
    mapping = parse_mapping(MAPPING.format(source=f"{agent.settings.party}_records"))
    del world
    return prepare(workshop, standing, open_extract(path), mapping)


def send(world: HubWorld, agent: Agent) -> str:
    """Submit the newest prepared submission; the hub works; the state that the hub answers."""
    (item,) = agent.outbox.newest()
    view = submit(agent.hub, agent.outbox, item, wait=lambda _seconds: world.work())
    return view.state


@pytest.fixture(scope="module")
def council(hub_world: HubWorld, tmp_path_factory: pytest.TempPathFactory) -> Agent:
    """The council with a first accepted submission."""
    agent = hub_world.agents["council"]
    prepared(hub_world, agent, extract(tmp_path_factory.mktemp("extract") / "a.csv"))
    assert send(hub_world, agent) == "accepted"
    return agent


def test_a_submission_is_accepted_and_logged(hub_world: HubWorld, council: Agent) -> None:
    """The hub's verdict is in the ledger, and the same file again is recognised."""
    outcomes = [
        event.leaf.type
        for event in (council.ledger.sync(), council.ledger.mirror.entries())[1]
        if event.leaf.type is EventType.SUBMISSION_ACCEPTED
    ]
    assert len(outcomes) == 1
    assert send(hub_world, council) == "accepted"
    assert len(council.hub.submissions().submissions) == 1


@pytest.mark.invariant(16, "a recorded upload")
def test_no_name_is_in_what_left(hub_world: HubWorld, council: Agent) -> None:
    """The canary's name is in no file of the hub, and the vault does not hold it in clear."""
    given, family = (word.encode() for word in CANARY.split())
    files = [path for path in hub_world.hub.home.rglob("*") if path.is_file()]
    files += [*(council.home / "outbox").iterdir(), council.home / "agent.db"]
    assert len(files) > 4
    for path in files:
        data = path.read_bytes().lower()
        assert given.lower() not in data, path.name
        assert family.lower() not in data, path.name


def test_an_interrupted_upload_goes_on(hub_world: HubWorld, council: Agent, tmp_path: Path) -> None:
    """Bytes that the hub has are not sent again; a wrong offset is answered with the right one."""
    done = prepared(hub_world, council, extract(tmp_path / "b.csv", seed=8))
    (item,) = council.outbox.newest()
    view = council.hub.post_submission(item.envelope)
    data = done.content.read_bytes()
    half = len(data) // 2
    council.hub.append_bytes(view.id, 0, data[:half])
    with pytest.raises(HubRefused) as caught:
        council.hub.append_bytes(view.id, half + 1, data[half:])
    assert caught.value.status == 409
    assert council.hub.submission(view.id).offset == half
    assert send(hub_world, council) == "accepted"
    states = {found.id: found.state for found in council.hub.submissions().submissions}
    assert sorted(states.values()) == ["accepted", "replaced"]


def test_a_tampered_file_is_refused(hub_world: HubWorld, council: Agent, tmp_path: Path) -> None:
    """The agent notices a changed file, and the hub one that was changed on its way."""
    done = prepared(hub_world, council, extract(tmp_path / "c.csv", seed=9))
    data = bytearray(done.content.read_bytes())
    data[-40] ^= 1
    (item,) = council.outbox.newest()
    done.content.write_bytes(bytes(data))
    with pytest.raises(OutboxError):
        send(hub_world, council)
    view = council.hub.post_submission(item.envelope)
    council.hub.append_bytes(view.id, 0, bytes(data))
    hub_world.work()
    found = council.hub.submission(view.id)
    assert (found.state, found.reason) == ("refused", "submission.content_mismatch")
    council.outbox.mark(item.id, "replaced")


def test_another_partys_manifest_is_refused(
    hub_world: HubWorld, council: Agent, tmp_path: Path
) -> None:
    """Neither relaying nor forging a manifest works, nor one without a day of its extract."""
    done = prepared(hub_world, council, extract(tmp_path / "d.csv", seed=10))
    police = hub_world.agents["police"]
    (item,) = council.outbox.newest()
    with pytest.raises(HubRefused, match="signature"):
        police.hub.post_submission(item.envelope)
    keys = police.secrets
    forged = sign(SUBMISSION, done.manifest, keys.signing_key, keys.keys.thumbprint)
    with pytest.raises(HubRefused, match="signature"):
        council.hub.post_submission(forged)
    altered = item.envelope.model_copy(update={"payload": forged.payload[:-4] + "AAAA"})
    with pytest.raises(HubRefused):
        council.hub.post_submission(altered)
    own = council.secrets
    for day in ("last Friday", "20261122", "2026-02-30"):
        odd = done.manifest.model_copy(update={"extracted_on": day})
        with pytest.raises(HubRefused, match="extracted_on"):
            council.hub.post_submission(sign(SUBMISSION, odd, own.signing_key, own.keys.thumbprint))
    council.outbox.mark(item.id, "replaced")


@pytest.mark.usefixtures("council")
def test_another_secret_is_noticed(hub_world: HubWorld, tmp_path: Path) -> None:
    """A partner that encodes under another secret learns it before anything is linked."""
    police = hub_world.agents["police"]
    path = secret_path(police.home, hub_world.agreement)
    create_secret(police.home, hub_world.agreement, None)
    prepared(hub_world, police, extract(tmp_path / "e.csv", seed=11))
    with pytest.raises(SubmissionRefusedError, match="secret_mismatch"):
        send(hub_world, police)
    path.unlink()
    prepared(hub_world, police, extract(tmp_path / "f.csv", seed=11))
    assert send(hub_world, police) == "accepted"


@pytest.mark.invariant(15, "a search of every file of hub and ledger")
def test_the_linkage_secret_is_nowhere_but_at_partners(
    hub_world: HubWorld, council: Agent, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Neither it nor what is derived from it is in a file or log, although all of it was used."""
    caplog.set_level(0)
    prepared(hub_world, council, extract(tmp_path / "s.csv", seed=21))
    send(hub_world, council)
    secret = read_secret(secret_path(council.home, hub_world.agreement), None)
    keys = load_keys(council.home, hub_world.agreement, None)
    derived = [getattr(keys, field.name) for field in fields(keys)]
    sought = [
        form
        for key in (secret, *(each for each in derived if isinstance(each, bytes)))
        for form in (key, key.hex().encode(), b64(key).encode(), b64(key).rstrip("=").encode())
    ]
    partners = [agent.home for agent in hub_world.agents.values()]
    files = [
        path
        for path in hub_world.root.rglob("*")
        if path.is_file() and not any(path.is_relative_to(home) for home in partners)
    ]
    assert len(files) > 3
    texts = [path.read_bytes() for path in files] + [caplog.text.encode()]
    assert not any(form in text for form in sought for text in texts)
    own = secret_path(council.home, hub_world.agreement).read_bytes()
    assert any(form in own for form in sought)  # the search finds it where it is


@pytest.mark.invariant(13, "a suspended agreement")
def test_a_suspended_agreement_stops_everything(
    hub_world: HubWorld, council: Agent, tmp_path: Path
) -> None:
    """While a party suspends it, nothing is hashed, sent or linked; afterwards it goes on."""
    police = hub_world.agents["police"]
    stopped = AgreementStopped(agreement=hub_world.agreement.hash, reason="dpia-review")
    file = extract(tmp_path / "g.csv", seed=12)
    before = len(list((council.home / "outbox").iterdir()))
    police.ledger.write(EventType.AGREEMENT_SUSPENDED, stopped)
    with pytest.raises(AgreementRefusal, match="suspended"):
        prepared(hub_world, council, file)
    assert len(list((council.home / "outbox").iterdir())) == before
    analyst = hub_world.call(
        "analyst",
        "POST",
        "/v1/runs",
        content=canonical_bytes({"agreement": hub_world.agreement.hash}),
    )
    assert analyst.json()["reason"] == "agreement.suspended"
    police.ledger.write(EventType.AGREEMENT_RESUMED, stopped)
    prepared(hub_world, council, file)
    assert send(hub_world, council) == "accepted"


@pytest.mark.usefixtures("council")
def test_a_run_keeps_ids_and_shows_families(hub_world: HubWorld) -> None:
    """Two runs over the same submissions give every person and family the same id."""
    exports = []
    for _ in range(2):
        body = canonical_bytes({"agreement": hub_world.agreement.hash})
        started = hub_world.call("analyst", "POST", "/v1/runs", content=body).json()
        hub_world.work()
        run = hub_world.call("analyst", "GET", f"/v1/runs/{started['id']}").json()
        assert run["state"] == "finished"
        files = {
            name: hub_world.call("analyst", "GET", f"/v1/runs/{run['id']}/exports/{name}").text
            for name in ("records.csv", "members.csv", "families.csv", "flags.csv")
        }
        exports.append(files)
    assert exports[0]["records.csv"] == exports[1]["records.csv"]
    assert exports[0]["members.csv"] == exports[1]["members.csv"]
    header = exports[0]["families.csv"].splitlines()[0]
    assert header == (
        "family,confidence,reasons,members,adults,children,needs_met,needs_unknown,in_programme,"
        "is_resident,flagged,referred,residence,told_month"
    )
