"""Effects of linkage error: draws by what the pairs say, bound by rulings, and their intervals."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.agreements.models import IN_PROGRAMME, Action
from governance.exchange.analysis_api import EffectRow
from governance.exchange.hub_api import Share3
from governance.exchange.submission_file import ARROW_SCHEMA
from linkage_hub.analytics.exports import KeptQuality
from linkage_hub.analytics.linkage_error import (
    Persons,
    interval,
    linkage_effects,
    run_effects,
    shifted,
    with_effects,
)
from linkage_hub.analytics.linkage_figures import Figures, Terms
from linkage_hub.linkage.answers import PairAnswers
from linkage_hub.linkage.persons import LinkResult, SourcePair
from linkage_hub.linkage.threshold import Estimate, estimate_of
from linkage_hub.runs.inputs import SourceData

MONTH = 12 * 2026 + 9
NEEDS = ("debt", "neet", "offence")
TERMS = Terms((*NEEDS, IN_PROGRAMME), NEEDS, 2, MONTH, None, 7)
SURE = Share3(value=0.9999, low=0.9999, high=1.0)
NO_RULINGS = PairAnswers.none()
PEOPLE = 300


def source(number: int, needs: list[list[str]]) -> SourceData:
    """Records of adults, each at an address of its own, with needs that are met."""
    rows: dict[str, list[Any]] = {
        "handle": [bytes([number, *divmod(at, 256)]).ljust(16, b"\1") for at in range(len(needs))],
        "encoding": [bytes(128)] * len(needs),
        "households": [
            [{"household": bytes([number, *divmod(at, 256)]).ljust(16, b"\2"), "kin": [],
              "first_month": MONTH - 24, "last_month": None}]
            for at in range(len(needs))
        ],
        "age_band": ["25_44"] * len(needs),
        "indicators": [[{"indicator": need, "met": True} for need in each] for each in needs],
    }  # fmt: skip
    blank: dict[str, list[Any]] = {"views": [], "mentions": [], "duplicates": []}
    arrays = [
        pa.array(rows.get(f.name, [blank.get(f.name)] * len(needs)), f.type) for f in ARROW_SCHEMA
    ]
    table = pa.Table.from_arrays(arrays, schema=ARROW_SCHEMA)
    return SourceData.of("council", f"s{number}", "", table)


def county(likely: float, *, joined: bool) -> tuple[list[SourceData], LinkResult]:
    """Two sources that hold the same rows of people: debt by the one, an offence by the other."""
    sources = [source(0, [["debt"]] * PEOPLE), source(1, [["offence"]] * PEOPLE)]
    rows, probability = np.arange(PEOPLE), np.full(PEOPLE, likely)
    pair = SourcePair(0, 1, 0.8, estimate_of(probability), rows, rows, probability)
    person_of = [rows, rows if joined else rows + PEOPLE]
    count = PEOPLE if joined else 2 * PEOPLE
    estimate = Estimate(PEOPLE, PEOPLE, likely, 0.9)
    return sources, LinkResult(person_of, count, 0.8, estimate, [pair])


def ruling(rows: list[int], *, same: bool) -> PairAnswers:
    """Rulings on the two records of rows."""
    at = np.array(rows)
    return PairAnswers(
        np.zeros(len(at), dtype=np.int64), np.ones(len(at), dtype=np.int64), at, at,
        np.full(len(at), same),
    )  # fmt: skip


def persons(linked: LinkResult, ruled: PairAnswers = NO_RULINGS) -> Persons:
    """Ready to be drawn."""
    found = Persons.of(linked, ruled)
    assert found is not None
    return found


@given(st.lists(st.floats(0.001, 0.999), min_size=1, max_size=30), st.floats(0.01, 0.99))
def test_a_shift_gives_the_sum_and_keeps_the_order(chances: list[float], share: float) -> None:
    """Whatever the pairs say, as many errors as the quality says, the likeliest the likeliest."""
    before = np.array(chances, dtype=np.float64)
    weight = np.array([1.0, 2.0, 3.0])[np.arange(len(chances)) % 3]
    total = share * float(weight.sum())
    after = shifted(before, weight, total)
    assert float((after * weight).sum()) == pytest.approx(total, rel=1e-3)
    assert (np.diff(after[np.argsort(before)]) >= -1e-12).all()


def test_persons_are_parted_as_often_as_links_are_false() -> None:
    """Of 300 links at precision .9 some 30 are undone; at precision 1 none; a ruled one never."""
    _, linked = county(0.95, joined=True)
    random = np.random.default_rng(1)
    count = [len(np.unique(persons(linked).parted(random, 0.9))) - PEOPLE for _ in range(20)]
    assert 25 < np.mean(count) < 35
    assert len(np.unique(persons(linked).parted(random, 1.0))) == PEOPLE
    bound = persons(linked, ruling([0, 1, 2], same=True))
    parts = [bound.parted(random, 0.3) for _ in range(20)]
    assert all((each[:3] == each[PEOPLE : PEOPLE + 3]).all() for each in parts)
    assert any((each[3:9] != each[PEOPLE + 3 : PEOPLE + 9]).any() for each in parts)


def test_persons_are_joined_as_often_as_links_are_missed() -> None:
    """As many as recall says, of pairs that were left; none that a ruling keeps apart."""
    sources, linked = county(0.4, joined=False)
    third = SourcePair(0, 0, 0.5, estimate_of(np.ones(60)), np.arange(60), np.arange(60) + 60,
                       np.ones(60))  # fmt: skip
    person_of = [linked.person_of[0].copy(), linked.person_of[1]]
    person_of[0][60:120] = person_of[0][:60]
    linked = LinkResult(person_of, linked.persons, 0.8, linked.estimate, [*linked.pairs, third])
    random = np.random.default_rng(1)
    label = np.concatenate(person_of)

    def joined(ruled: PairAnswers, recall: float) -> np.ndarray:
        return persons(linked, ruled).joined(random, label, 1.0, recall)

    fewer = [len(np.unique(label)) - len(np.unique(joined(NO_RULINGS, 0.6))) for _ in range(20)]
    # 60 pairs found are .6 of 100: 40 are missed, of which a few would join one person twice
    assert 25 < np.mean(fewer) <= 42
    assert len(np.unique(joined(NO_RULINGS, 1.0))) == len(np.unique(label))
    apart = list(range(150, PEOPLE))
    for _ in range(10):
        found = joined(ruling(apart, same=False), 0.2)
        assert (found[apart] != found[np.array(apart) + PEOPLE]).all()
    assert len(sources) == 2


def test_nobody_is_joined_to_two_others() -> None:
    """Of two likely others one is the person's other half; both would make three one."""
    rows = np.array([0, 0])
    pair = SourcePair(0, 1, 0.8, estimate_of(np.array([0.4, 0.4])), rows, np.array([0, 1]),
                      np.array([0.4, 0.4]))  # fmt: skip
    held = SourcePair(0, 0, 0.5, estimate_of(np.ones(1)), np.array([1]), np.array([2]), np.ones(1))
    linked = LinkResult(
        [np.array([0, 3, 3]), np.array([1, 2])], 4, 0.8, Estimate(1, 2, 1.0, 0.5), [pair, held]
    )
    random = np.random.default_rng(1)
    ready = persons(linked)
    label = np.concatenate(linked.person_of)
    found = [len(np.unique(ready.joined(random, label, 1.0, 0.01))) for _ in range(20)]
    assert set(found) == {3}


def test_what_a_false_link_put_forward_is_taken_back() -> None:
    """Two needs that are one person's only by a link: undone, nobody is put forward."""
    sources, linked = county(0.9, joined=True)
    quality = Share3(value=0.9, low=0.88, high=0.92), SURE
    found = linkage_effects(sources, linked, NO_RULINGS, quality, TERMS)
    assert found is not None
    rows = {(row.figure, row.needs): row for row in found.rows}
    forward = rows["put_forward", ()]
    assert forward.found == PEOPLE
    assert forward.value == pytest.approx(0.9 * PEOPLE, abs=9)
    assert forward.low is not None
    assert forward.high is not None
    assert forward.low < 0.9 * PEOPLE < forward.high < PEOPLE
    assert forward.false_links == pytest.approx(-0.1 * PEOPLE, abs=9)
    assert forward.missed_links == 0
    both = rows["needs_together", ("debt", "offence")]
    assert (both.found, both.value) == (forward.found, forward.value)
    assert (both.low or 0) <= forward.low  # with its allowance
    assert rows["kept", ()].value == forward.value
    assert rows["need", ("debt",)].value == PEOPLE
    nothing = EffectRow(
        figure="need", needs=("neet",), found=None, value=None, low=None, high=None,
        false_links=None, missed_links=None,
    )  # fmt: skip
    assert rows["need", ("neet",)] == nothing  # nought, as all that is too small to be shown
    again = linkage_effects(sources, linked, NO_RULINGS, quality, TERMS)
    assert again == found


def test_figures_without_a_measured_quality_have_wide_intervals() -> None:
    """The run's own estimates are taken with more doubt than measured ones."""
    sources, linked = county(0.9, joined=True)
    measured = Share3(value=0.9, low=0.88, high=0.92), SURE
    widths = []
    for quality in (measured, None):
        found = linkage_effects(sources, linked, NO_RULINGS, quality, TERMS)
        assert found is not None
        row = next(row for row in found.rows if row.figure == "put_forward")
        widths.append((row.high or 0) - (row.low or 0))
    assert widths[1] > 2 * widths[0]


def test_a_figure_that_no_draw_changes_is_not_certain() -> None:
    """Eight draws without a change leave room for one; what varies has the room that it takes."""
    assert interval(np.full(8, 50.0), 50) == (50, 49, 51)
    value, low, high = interval(np.array([40.0, 60.0] * 4), 50)
    assert (value, low, high) == (50, 23, 77)
    assert interval(np.array([40.0, 60.0] * 4), 50, 0.5)[2] > 100


def test_figures_are_those_of_the_agreement_that_allows_analysis() -> None:
    """Without that word nothing is worked out, and the quality stays as it was."""
    sources, linked = county(0.9, joined=True)
    needs = Figures(sources, TERMS).of(np.concatenate(linked.person_of)).assessed
    families: Any = SimpleNamespace(count=PEOPLE + 40)
    results: Any = SimpleNamespace(sources=sources, linked=linked, families=families, needs=needs)
    terms: Any = SimpleNamespace(
        actions=(Action.LINK,), indicators=[SimpleNamespace(id=need) for need in NEEDS],
        needs=NEEDS, minimum_needs=2, suppression_threshold=7,
        encoding=SimpleNamespace(hardening=None),
    )  # fmt: skip
    day: Any = SimpleNamespace(year=2026, month=10)
    found = run_effects(results, terms, NO_RULINGS, None, day, lambda _share, _words: None)
    assert found is None
    assert with_effects(None, found) is None
    terms.actions = (Action.LINK, Action.ANALYSE)
    found = run_effects(results, terms, NO_RULINGS, None, day, lambda _share, _words: None)
    assert found is not None
    assert with_effects(None, found) == KeptQuality(rows=(), effects=found)
    rows = {row.figure: row for row in found.rows if not row.needs}
    assert rows["families"].found == PEOPLE + 40  # as the run shows it; draws say what changes
    assert rows["persons"].found == PEOPLE
    assert (rows["families"].value or 0) == (rows["persons"].value or 0) + 40


def test_a_run_without_two_records_of_one_person_has_no_effects() -> None:
    """There is no link that could be false, and nothing to tell missed ones by."""
    sources, linked = county(0.4, joined=False)
    assert linkage_effects(sources, linked, NO_RULINGS, None, TERMS) is None
    empty = LinkResult([], 0, 1.0, Estimate(0, 0.0, 1.0, 1.0))
    assert linkage_effects([], empty, NO_RULINGS, None, TERMS) is None


def test_persons_of_any_records_are_counted_by_the_runs_own_code() -> None:
    """As one person at two addresses, and as two people; who is put forward is followed."""
    sources, _ = county(0.9, joined=True)
    figures = Figures(sources, TERMS)
    rows = np.arange(PEOPLE)
    one, two = np.concatenate([rows, rows]), np.arange(2 * PEOPLE)
    own = figures.of(one)
    assert own.counts["persons", ()] == own.counts["put_forward", ()] == PEOPLE
    apart = figures.of(two, own)
    assert apart.counts["persons", ()] == apart.counts["families", ()] == 2 * PEOPLE
    assert apart.counts["put_forward", ()] == apart.counts["kept", ()] == 0
    half = figures.of(np.where(two % PEOPLE < 100, two % PEOPLE, two), own)
    assert half.counts["kept", ()] == 100
