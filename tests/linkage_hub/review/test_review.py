"""Review: what is worth a ruling, and rulings that last."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from pydantic import BaseModel
from sqlalchemy import insert

from governance.agreements.encoding import Hardening, View
from governance.agreements.errors import AgreementExpired, AgreementUnknown, PartyNotListed
from governance.canonical import sha256
from governance.errors import GovernanceError
from governance.exchange.hub_api import RulingPost
from governance.identity.models import Role
from governance.ledger.events import Event, EventType
from governance.ledger.payloads import ReviewRuled, read_payload
from governance.ledger.state import LedgerState
from linkage_hub.linkage.duplicates import Duplicates
from linkage_hub.linkage.persons import LinkResult, SourcePair, link
from linkage_hub.linkage.threshold import Estimate, estimate_of
from linkage_hub.refinement.decided import NO, UNDECIDED, Decided
from linkage_hub.refinement.pairs import make_pairs
from linkage_hub.review.errors import UnknownRecord
from linkage_hub.review.masked import Answered, _views, pairs_to_rule_on, write_review
from linkage_hub.review.queue import doubtful_pairs
from linkage_hub.review.service import Reviews
from linkage_hub.runs.inputs import SourceData
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import families, family_members, person_records, runs
from tests.governance.world import Staff, World

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
GOVERNED, RUN = World(), "1" * 32
ANALYST = Staff("council", Role.ANALYST, "c" * 32)
GOVERNED.enrol(ANALYST, GOVERNED.lead.signing, GOVERNED.lead.keys.thumbprint)
AGREEMENT, WHO = GOVERNED.agreement.hash, (ANALYST.keys.thumbprint, "council")


class Ledger:
    """The hub's pen, on a ledger in memory."""

    def __init__(self, world: World = GOVERNED) -> None:
        self.world = world

    def sync(self) -> LedgerState:
        """What it says."""
        return self.world.state

    def write(self, kind: EventType, payload: BaseModel) -> Event:
        """Append, if admissible."""
        return self.world.write(self.world.hub, kind, payload)


def source(number: int) -> SourceData:
    """Three records without content."""
    handles = np.array([bytes([number, at]) + b"\1" * 14 for at in range(3)], dtype="V16")
    encodings = np.full((1, 3, 128), 0b1111_0000, dtype=np.uint8)
    encodings[0, 2] = [0b1100_1100, 0b0011_1100][number]
    none = Duplicates.none()
    return SourceData("council", f"s{number}", "", handles, encodings, none, pa.table({}))


SOURCES = [source(0), source(1)]


def handle(number: int, at: int) -> str:
    """A record's handle."""
    return (bytes([number, at]) + b"\1" * 14).hex()


DECIDED = Decided(
    make_pairs(0, 1, [1, 2, 0], [1, 0, 0]), np.array([NO, NO, UNDECIDED], dtype=np.uint8)
)
ANSWERED = Answered(SOURCES, DECIDED)
"""About records 1 and 1; about 2 and 0, and 0 and 0, of which nobody has to rule."""


def linked() -> LinkResult:
    """Record 0 certainly one person, 1 doubtfully together, 2 doubtfully apart."""
    probability = np.array([0.999, 0.8, 0.4])
    rows = np.arange(3)
    pair = SourcePair(0, 1, 0.7, estimate_of(probability), rows, rows, probability)
    return LinkResult(
        [np.array([0, 1, 2]), np.array([0, 1, 3])], 4, 0.7, Estimate(2, 2.2, 0.9, 0.8), [pair]
    )


@pytest.fixture
def reviews(database_url: str) -> Iterator[Reviews]:
    """A desk with a current run; the family of record 1 is put forward."""
    database = HubDatabase(database_url)
    with database.writing() as connection:
        connection.execute(
            insert(runs).values(
                id=RUN, agreement=AGREEMENT, mode="exact", questions=False, state="finished",
                is_current=True, created="2026-11-24T12:00:00Z", sources=2, records=6, persons=4,
                families=1, flagged=1,
            )
        )  # fmt: skip
        for number, persons in enumerate(linked().person_of):
            for at, person in enumerate(persons):
                connection.execute(
                    insert(person_records).values(
                        run=RUN, handle=handle(number, at), person=f"p-{person}", party="council",
                        source=f"s{number}",
                    )
                )  # fmt: skip
        connection.execute(
            insert(families).values(
                run=RUN, family="f-1", confidence=1.0, reasons="[]", members=1, adults=1,
                children=0, needs_met=2, needs_unknown=0, in_programme=False, is_resident=True,
                flagged=True,
            )
        )  # fmt: skip
        connection.execute(
            insert(family_members).values(
                run=RUN, family="f-1", person="p-2", role="other_adult", adult=True,
                confidence=1.0, is_primary=True,
            )
        )  # fmt: skip
        pairs = pairs_to_rule_on(RUN, SOURCES, linked(), GOVERNED.agreement.encoding, ANSWERED)
        write_review(connection, RUN, pairs)
    yield Reviews(database, Ledger(), lambda: NOW)  # type: ignore[arg-type]
    database.close()


def test_the_queue_is_ordered_by_what_a_ruling_would_change() -> None:
    """What is sure is not asked; what is likeliest to change most pairs comes first."""
    found = doubtful_pairs(linked())
    assert found.left.tolist() == [2, 1]
    assert found.changes.tolist() == pytest.approx([0.4, 0.2])


def test_pairs_of_one_source_are_asked_about_by_what_its_agent_says() -> None:
    """A pair that the agent doubts and clusters parted comes with the agent's probability."""
    told = Duplicates(np.array([0, 0, 1]), np.array([1, 2, 2]), np.array([0.55, 1.0, 0.99]))
    found = link([np.zeros((1, 3, 128), dtype=np.uint8)], duplicates=[told])
    found = replace(found, person_of=[np.array([0, 1, 0])], persons=2)
    asked = doubtful_pairs(found)
    assert asked.first.tolist() == asked.second.tolist() == [0]
    assert (asked.left.tolist(), asked.right.tolist()) == ([1], [2])
    assert asked.probability.tolist() == [0.99]


def test_no_pairs_no_queue() -> None:
    """A run without links has nothing to rule on."""
    assert not len(doubtful_pairs(LinkResult([], 0, 1.0, Estimate(0, 0.0, 1.0, 1.0))).left)


def test_pairs_are_listed_by_handle_with_flagged_families_first(reviews: Reviews) -> None:
    """The pair whose family is put forward leads, and says so; nothing but pseudonyms is shown."""
    found = reviews.pairs(WHO[1], AGREEMENT)
    assert [(pair.left, pair.right) for pair in found.pairs] == [
        (handle(0, 2), handle(1, 2)),
        (handle(0, 1), handle(1, 1)),
    ]
    assert [pair.flagged for pair in found.pairs] == [True, False]


def test_pairs_are_shown_side_by_side_without_values(reviews: Reviews) -> None:
    """How alike each view is, what was answered, and whose records a ruling would join or part."""
    apart, together = reviews.pairs(WHO[1], AGREEMENT).pairs
    page = reviews.pairs(WHO[1], AGREEMENT, offset=1, limit=1)
    assert (page.pairs, page.total) == ((together,), 2)
    assert [(view.view, view.leaves_out, view.similarity) for view in apart.views] == [
        ("full", (), 0.5)
    ]
    assert (apart.together, apart.left_records, apart.right_records) == (False, 1, 1)
    assert apart.answer is None
    assert (together.together, together.left_records, together.right_records) == (True, 2, 2)
    assert (together.views[0].similarity, together.answer) == (1.0, "no")


def test_views_are_named_and_one_sources_pairs_are_not_compared() -> None:
    """Views tell where two records differ; one source's agent compares its own."""
    gone = {"no_surname": ("surname",), "no_year": ("date_of_birth.year",)}
    views = [View(id=name, leaves_out=left) for name, left in gone.items()]
    plain = GOVERNED.agreement.encoding
    encoding = plain.model_copy(
        update={"profile": "hardened", "hardening": Hardening(k=4, views=tuple(views))}
    )
    bits = np.random.default_rng(3).integers(0, 256, (1 + len(gone), 2, 128)).astype(np.uint8)
    bits[-1, 1] = bits[-1, 0]
    two = replace(SOURCES[0], handles=SOURCES[0].handles[:2], encodings=bits)
    other = replace(SOURCES[1], handles=SOURCES[1].handles[:2], encodings=bits[:, ::-1])
    shown = _views([two, other], (0, 0), (1, 0), encoding)
    assert {view["view"]: tuple(view["leaves_out"]) for view in shown} == {"full": (), **gone}
    assert shown[-1]["similarity"] == 1.0
    assert all(0.4 < view["similarity"] < 0.6 for view in shown[:-1])
    assert _views([two, other], (0, 0), (0, 1), encoding) == []


def test_a_ruling_lasts_and_leaves_the_queue(reviews: Reviews) -> None:
    """Who ruled and when is kept, the pair is not asked again, and runs are given the ruling."""
    post = RulingPost(left=handle(1, 2), right=handle(0, 2), same=True)
    ruling = reviews.decide(*WHO, AGREEMENT, post).rulings[0]
    assert (ruling.person, ruling.party, ruling.decided) == (*WHO, "2026-11-24T12:00:00Z")
    assert reviews.pairs(WHO[1], AGREEMENT).total == 1
    given = reviews.given(AGREEMENT, SOURCES)
    answers = given.answers
    assert len(given.numbers) == 1
    table = (answers.first, answers.second, answers.left, answers.right, answers.yes)
    assert [column.tolist() for column in table] == [[0], [1], [2], [2], [True]]


def test_a_newer_ruling_on_the_same_pair_replaces_the_older(reviews: Reviews) -> None:
    """Minds may be changed; one ruling a pair counts."""
    for same in (True, False):
        found = reviews.decide(
            *WHO, AGREEMENT, RulingPost(left=handle(0, 2), right=handle(1, 2), same=same)
        )
    assert [ruling.same for ruling in found.rulings] == [False]


def test_a_ruling_that_others_make_impossible_says_so(reviews: Reviews) -> None:
    """Of a is b, b is c and a not c the later binding is contradicted, before any run."""
    a, b, c = handle(0, 0), handle(0, 1), handle(0, 2)
    for left, right, same in ((a, b, True), (b, c, True), (a, c, False)):
        found = reviews.decide(*WHO, AGREEMENT, RulingPost(left=left, right=right, same=same))
    assert [ruling.contradicted for ruling in found.rulings] == [False, True, False]
    assert [ruling.followed for ruling in found.rulings] == [None, None, None]


def test_the_same_ruling_again_changes_nothing(reviews: Reviews) -> None:
    """A ruling whose answer was lost is sent again: one ruling, one event; another one counts."""
    post = RulingPost(left=handle(0, 2), right=handle(1, 2), same=True)
    reviews.decide(*WHO, AGREEMENT, post)
    size = len(GOVERNED.events)
    again = reviews.decide(*WHO, AGREEMENT, post)
    assert (len(again.rulings), len(GOVERNED.events)) == (1, size)
    reviews.decide(*WHO, AGREEMENT, post.model_copy(update={"same": False}))
    assert len(reviews.decide(*WHO, AGREEMENT, post).rulings) == 1
    assert len(GOVERNED.events) == size + 2


def test_what_the_run_did_with_a_ruling_is_what_is_shown(reviews: Reviews) -> None:
    """Records may allow what rows that an agent holds for one do not: the run's word counts."""
    ends = ((handle(0, 1), handle(1, 1), True), (handle(0, 2), handle(1, 1), False))
    for left, right, same in ends:
        reviews.decide(*WHO, AGREEMENT, RulingPost(left=left, right=right, same=same))
    reviews.keep(RUN, reviews.given(AGREEMENT, SOURCES), [0])
    reviews.keep("2" * 32, reviews.given(AGREEMENT, SOURCES), [])  # not current yet
    reviews.decide(*WHO, AGREEMENT, RulingPost(left=handle(0, 0), right=handle(1, 0), same=True))
    shown = reviews.rulings(WHO[1], AGREEMENT).rulings
    assert [ruling.followed for ruling in shown] == [False, True, None]
    assert reviews.pairs(WHO[1], AGREEMENT).not_followed == 1
    reviews.decide(*WHO, AGREEMENT, RulingPost(left=handle(0, 1), right=handle(1, 1), same=False))
    assert reviews.pairs(WHO[1], AGREEMENT).not_followed == 0


def test_a_record_that_the_run_does_not_hold_is_refused(reviews: Reviews) -> None:
    """A handle that nobody submitted, or one record twice, has its reason."""
    for right in ("f" * 32, handle(0, 0)):
        with pytest.raises(UnknownRecord):
            reviews.decide(*WHO, AGREEMENT, RulingPost(left=handle(0, 0), right=right, same=True))


def test_a_ruling_is_in_the_ledger_without_its_records(reviews: Reviews) -> None:
    """Who ruled what under which agreement is there; which records only the hub can show."""
    before = len(GOVERNED.events)
    reviews.decide(*WHO, AGREEMENT, RulingPost(left=handle(0, 2), right=handle(1, 2), same=True))
    (event,) = GOVERNED.events[before:]
    said = read_payload(event)
    assert event.leaf.type is EventType.REVIEW_RULED
    assert (said.person, said.party, said.run, said.same) == (*WHO, RUN, True)
    assert event.payload is not None
    assert not any(handle(number, 2).encode() in event.payload for number in (0, 1))
    pair = bytes.fromhex(handle(0, 2)) + bytes.fromhex(handle(1, 2))
    assert said.pair_sha256 != sha256(pair)  # partners know handles, and could try pairs


def test_a_party_outside_the_agreement_sees_and_rules_nothing(reviews: Reviews) -> None:
    """Nor does anybody under an agreement that is not in force, or that nobody knows."""
    post = RulingPost(left=handle(0, 2), right=handle(1, 2), same=True)
    before = len(GOVERNED.events)
    for party, agreement, refusal in (
        ("ledger", AGREEMENT, PartyNotListed),
        ("council", "sha256:" + "e" * 64, AgreementUnknown),
    ):
        with pytest.raises(refusal):
            reviews.pairs(party, agreement)
        with pytest.raises(refusal):
            reviews.rulings(party, agreement)
        with pytest.raises(refusal):
            reviews.decide(WHO[0], party, agreement, post)
    late = Reviews(reviews._database, Ledger(), lambda: NOW.replace(year=2030))  # type: ignore[arg-type]
    with pytest.raises(AgreementExpired):
        late.decide(*WHO, AGREEMENT, post)
    assert len(GOVERNED.events) == before


@pytest.mark.parametrize(
    ("author", "changes"),
    [
        ("police", {}),
        ("hub", {"party": "police"}),
        ("hub", {"person": GOVERNED.lead.keys.thumbprint}),
        ("hub", {"person": "sha256:" + "d" * 64}),
    ],
)
def test_the_ledger_admits_no_ruling_that_is_not_an_analysts(
    author: str, changes: dict[str, str]
) -> None:
    """Nor one that an owner of a source writes by itself."""
    parties = {each.name: each for each in (GOVERNED.hub, *GOVERNED.partners)}
    ruling = ReviewRuled.model_validate(
        {
            "agreement": AGREEMENT, "run": RUN, "party": "council", "person": WHO[0],
            "same": True, "pair_sha256": "sha256:" + "0" * 64, **changes,
        }
    )  # fmt: skip
    with pytest.raises(GovernanceError):
        GOVERNED.write(parties[author], EventType.REVIEW_RULED, ruling)


def test_rulings_on_records_that_are_gone_are_left_out(reviews: Reviews) -> None:
    """A run that no longer holds a record is not given the ruling on it."""
    reviews.decide(*WHO, AGREEMENT, RulingPost(left=handle(0, 2), right=handle(1, 2), same=True))
    assert not len(reviews.given(AGREEMENT, SOURCES[:1]).answers)
