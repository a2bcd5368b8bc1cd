"""What a manager's command reads, from a hub that lies."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from governance.canonical import b64, canonical_bytes, sha256, write_time
from governance.cli.main import app
from governance.exchange.hub_client import HubClient
from governance.exchange.release_api import (
    FamilyList,
    FamilyQuery,
    FamilySummary,
    ReleaseView,
    RequestView,
)
from governance.exchange.risk_api import FamilyRank
from governance.identity.envelope import Envelope, parse_canonical, sign
from governance.identity.files import PersonSecrets, write_secret
from governance.release.errors import MembersChanged
from governance.release.models import SEALED, CheckpointRef, Members, ReleasedRecord, SealedItems
from governance.release.opening import asked_of, opened_answers
from governance.release.seal import seal_records
from tests.governance.world import NOON, Party, World

PERSON = "p-" + "1" * 32


@pytest.fixture(scope="module")
def world() -> World:
    """Keys of partners and staff, as the ledger knows them."""
    return World()


def family_of(world: World) -> Members:
    """A family that the council knows, and nobody else."""
    return world.members(("1", True, [(world.council, "1" * 32)]))


def secrets_of(world: World) -> PersonSecrets:
    """The manager's keys."""
    return PersonSecrets(
        keys=world.manager.keys,
        signing=b64(world.manager.signing.seed),
        sealing=b64(world.manager.sealing.seed),
    )


def reading(
    world: World, view: RequestView, *sealed: Envelope
) -> tuple[list[str], list[ReleasedRecord], dict[str, str]]:
    """What the manager's command reads of a release, and what it leaves out."""
    who = secrets_of(world)
    release = ReleaseView(request=view.id, sealed=sealed, answers=())
    return opened_answers(release, view, asked_of(view, view.id), who, world.state)


def shown(
    world: World,
    members: Members,
    without: tuple[str, ...] = (),
    family: Members | None = None,
) -> RequestView:
    """The manager's request, as the hub shows it, about the members that the hub shows."""
    request = world.request(family or family_of(world), items=["first_name"], without=list(without))
    return RequestView(
        id=request.payload_hash,
        family=members.family,
        state="answered",
        request=request,
        approval=None,
        document=members,
        answers=(),
        reason=None,
        created=write_time(NOON),
        expires=write_time(NOON),
        outcome=None,
    )


def answer(
    world: World, view: RequestView, party: Party, person: str = PERSON, item: str = "first_name"
) -> Envelope:
    """What a partner sealed and signed, all of it in order."""
    sealed = seal_records(
        [ReleasedRecord(person=person, source="records", items={item: "Ann"})],
        request=view.id,
        order=sha256(b"order"),
        party=party.name,
        recipient=world.manager.keys,
        checkpoint=CheckpointRef(size=7, root=b64(bytes(32))),
        created=write_time(NOON),
    )
    return sign(SEALED, sealed, party.signing, party.keys.thumbprint)


def test_an_empty_list_says_what_may_have_ended(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub lists no family of an agreement that is not in force, and says no more."""
    write_secret(tmp_path / "person.secret", canonical_bytes(secrets_of(world)), None)
    monkeypatch.setattr(
        HubClient, "families", lambda _client, _query: FamilyList(families=(), total=0)
    )
    words = ["release", "families", "--hub", "http://localhost:1"]
    found = CliRunner().invoke(app, [*words, "--as", str(tmp_path / "person.secret")])
    assert found.exit_code == 0, found.output
    assert "while an agreement of yours is in force" in found.stderr
    assert "governance agreement list" in found.stderr


def test_a_list_by_a_model_says_places(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among how many, or why none; where no model is shared the list is by needs, and says so."""
    write_secret(tmp_path / "person.secret", canonical_bytes(secrets_of(world)), None)
    line = FamilySummary(
        family=f"f-{1:032x}", members=3, adults=2, children=1, needs_met=2, needs_unknown=1,
        flagged=True, in_programme=False, confidence=0.9, may_be_approached=True, reason=None,
    )  # fmt: skip
    ranks = [
        FamilyRank(model="sha256:" + "1" * 64, band=band, why=why)
        for band, why in (
            ("first_5", None),
            ("other", None),
            (None, "too_little_known"),
            (None, "moved_away"),
        )
    ]
    answers = [
        FamilyList(
            families=tuple(line.model_copy(update={"rank": rank}) for rank in ranks),
            total=4, order="model", models=("sha256:" + "1" * 64,), too_little_known=1,
        ),
        FamilyList(families=(line,), total=1),
    ]  # fmt: skip
    asked: list[FamilyQuery] = []

    def families(_client: HubClient, query: FamilyQuery) -> FamilyList:
        asked.append(query)
        return answers.pop(0)

    monkeypatch.setattr(HubClient, "families", families)
    monkeypatch.setenv("COLUMNS", "200")
    words = ["release", "families", "--by-model", "--hub", "http://localhost:1"]
    words += ["--as", str(tmp_path / "person.secret")]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0, found.output
    for said in (
        "first 5 in 100",
        "behind them",
        "none: too little known",
        "none: not here as far as known",
    ):
        assert said in found.stdout
    assert "nothing is decided by it" in found.stderr
    found = CliRunner().invoke(app, words)
    assert "place" not in found.stdout
    assert "no model is shared" in found.stderr
    assert [query.order for query in asked] == ["model", "model"]


@pytest.mark.parametrize(
    ("residence", "told", "said"),
    [
        ("here", "2026-10", "yes"),
        ("untold", "2024-05", "not known since 2024-05"),
        ("untold", None, "not known"),
        ("left", "2020-01", "no, as far as known"),
        (None, None, "not worked out"),
    ],
)
def test_a_list_says_whether_families_live_here_still(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    residence: str | None,
    told: str | None,
    said: str,
) -> None:
    """Of a family of whom nobody tells it is said, with the last month for which somebody does."""
    write_secret(tmp_path / "person.secret", canonical_bytes(secrets_of(world)), None)
    line = FamilySummary.model_validate(
        {
            "family": f"f-{1:032x}", "members": 3, "adults": 2, "children": 1, "needs_met": 2,
            "needs_unknown": 1, "flagged": True, "in_programme": False, "confidence": 0.9,
            "may_be_approached": False, "reason": "consent.missing", "residence": residence,
            "told": told,
        }
    )  # fmt: skip
    monkeypatch.setattr(
        HubClient, "families", lambda _client, _query: FamilyList(families=(line,), total=1)
    )
    monkeypatch.setenv("COLUMNS", "200")
    words = ["release", "families", "--hub", "http://localhost:1"]
    found = CliRunner().invoke(app, [*words, "--as", str(tmp_path / "person.secret")])
    assert found.exit_code == 0, found.output
    (row,) = [each for each in found.stdout.splitlines() if line.family in each]
    assert row.split("│")[-3].strip() == said


@pytest.mark.invariant(10, "an answer of a partner that holds no record", double="lies")
def test_nothing_is_read_from_a_partner_that_holds_no_record(world: World) -> None:
    """The hub relays what the police made up about a family of the council's, rightly signed.

    What it relays twice is read once.
    """
    view = shown(world, family_of(world))
    true, false = (answer(world, view, party) for party in (world.council, world.partners[0]))
    for answers in ((true, false), (false, true), (true, false, true)):
        parties, records, left_out = reading(world, view, *answers)
        assert parties == ["council"]
        assert [record.person for record in records] == [PERSON]
        assert left_out == {"police": "signature.invalid"}


@pytest.mark.invariant(11, "a holder that sends somebody, or an item, not asked for")
@pytest.mark.parametrize(
    ("person", "item", "without"),
    [
        ("p-" + "2" * 32, "first_name", ()),
        (PERSON, "surname", ()),
        (PERSON, "first_name", (PERSON,)),
    ],
)
def test_nothing_is_read_that_was_not_asked_for(
    world: World, person: str, item: str, without: tuple[str, ...]
) -> None:
    """Another person, another item, or a member who was left out."""
    view = shown(world, family_of(world), without)
    sealed = answer(world, view, world.council, person, item)
    assert reading(world, view, sealed) == ([], [], {"council": "release.members_changed"})


@pytest.mark.invariant(10, "an answer that does not open, beside one that does", double="lies")
@pytest.mark.parametrize("fault", ["bytes", "signature", "stranger"])
def test_one_bad_answer_hides_no_other(world: World, fault: str) -> None:
    """It is left out under the name of whose keys it names, and the other is read."""
    police, stranger = world.partners[0], Party("stranger")
    family = world.members(("1", True, [(world.council, "1" * 32), (police, "2" * 32)]))
    view = shown(world, family, family=family)
    good = answer(world, view, world.council)
    bad = answer(world, view, stranger if fault == "stranger" else police)
    if fault == "bytes":
        sealed = parse_canonical(bad.payload_bytes, SealedItems)
        spoiled = sealed.model_copy(update={"ciphertext": b64(bytes(2000))})
        bad = sign(SEALED, spoiled, police.signing, police.keys.thumbprint)
    elif fault == "signature":
        bad = sign(
            SEALED, parse_canonical(bad.payload_bytes, SealedItems), stranger.signing,
            police.keys.thumbprint,
        )  # fmt: skip
    for answers in ((good, bad), (bad, good)):
        parties, records, left_out = reading(world, view, *answers)
        assert (parties, len(records)) == (["council"], 1)
        assert left_out.keys() == {"somebody unknown" if fault == "stranger" else "police"}


@pytest.mark.invariant(11, "other members shown to the manager who opens", double="lies")
def test_members_that_make_a_partner_a_holder_are_those_of_the_request(world: World) -> None:
    """A hub cannot add the police's record to the family, nor show another request."""
    police = world.partners[0]
    more = world.members(("1", True, [(world.council, "1" * 32), (police, "2" * 32)]))
    view = shown(world, more)
    with pytest.raises(MembersChanged):
        asked_of(view, view.id)
    view = shown(world, family_of(world))
    with pytest.raises(MembersChanged):
        asked_of(view, sha256(b"another"))
    assert asked_of(view, view.id).members == family_of(world).digest
