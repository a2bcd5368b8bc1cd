"""Synthetic people: the same at every partner, another month others, and like real rows."""

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.agreements.quality import Quality
from governance.canonical import sha256
from governance.errors import FormatError
from governance.exchange.sentinels import (
    KINDS,
    VALUES,
    SyntheticRecord,
    commitment,
    read_key,
    write_key,
)
from partner_agent.refinement.facets import facet
from partner_agent.sentinels.bands import bands_of
from partner_agent.sentinels.errors import Disagreements, ErrorRates, written_down
from partner_agent.sentinels.mixing import Sampler, interleave, synthetic_rows
from partner_agent.sentinels.names import name_band
from partner_agent.sentinels.people import Home, month_key, people_of
from partner_agent.sentinels.store import SyntheticKey, SyntheticRows
from partner_agent.store.database import AgentDatabase

TODAY = date(2026, 11, 24)
MONTH = 12 * 2026 + 10
KEY = bytes(range(32))
QUALITY = Quality(sentinels=100, decoy_percent=10, groups=(), outcodes=("EX1",), reveal_hours=24)


def extract(rows: int, **columns: str) -> pd.DataFrame:
    """A cleaned table of real-looking rows."""
    data = {
        "row": range(1, rows + 1),
        "source_record_id": [f"R{at}" for at in range(rows)],
        "first_name": [f"real{chr(97 + at % 26)}" for at in range(rows)],
        "middle_name": [""] * rows,
        "surname": [f"person{chr(97 + at % 23)}" for at in range(rows)],
        "date_of_birth": [f"{1950 + at % 70}-03-0{1 + at % 9}" for at in range(rows)],
        "sex": ["m" if at % 2 else "f" for at in range(rows)],
        "nhs_number": ["" if at % 3 else f"{9434765919 - at}" for at in range(rows)],
        "address": [f"{at} real street" for at in range(rows)],
        "postcode": ["EX1 1AA"] * rows,
        "nino": [""] * rows, "upn": [""] * rows, "uprn": [""] * rows,
        "phone": [""] * rows, "email": [""] * rows,
        "indicator.neet": ["met" if at % 4 == 0 else "" for at in range(rows)],
        "protected": ["y" if at % 10 == 0 else "" for at in range(rows)],
    }  # fmt: skip
    return pd.DataFrame(data | {name: [text] * rows for name, text in columns.items()})


def sampled(frame: pd.DataFrame) -> Sampler:
    """A sampler that saw a table in chunks."""
    sampler = Sampler()
    for start in range(0, len(frame), 150):
        sampler.see(frame.iloc[start : start + 150])
    return sampler


def test_people_follow_from_secret_and_month_alone() -> None:
    """Every agent makes the same people; another month, or another key, has none of them."""
    seed = month_key(KEY, MONTH)
    first = people_of(seed, 300, MONTH)
    assert first == people_of(seed, 300, MONTH)
    assert first[:50] == people_of(seed, 50, MONTH)
    others = people_of(month_key(KEY, MONTH + 1), 300, MONTH + 1)
    strangers = people_of(month_key(bytes(32), MONTH), 300, MONTH)
    ids = {person.id for person in first}
    assert len(ids) == 300
    assert not ids & {person.id for person in (*others, *strangers)}


def test_the_first_people_are_pinned() -> None:
    """Agents of different versions must not differ in the people they make."""
    people = people_of(month_key(KEY, MONTH), 40, MONTH, ("EX1",))
    text = json.dumps([[p.id, p.truth, p.home.address, p.home.postcode, p.hard] for p in people])
    assert sha256(text.encode()) == PINNED


PINNED = "sha256:839def1007d9820e98005de55ff19935b3688b13bf6c1d047762f74698cfbb14"


def test_some_people_are_hard_to_tell_apart() -> None:
    """Twins, a parent and child of one name, and namesakes of one birth year are among them."""
    people = people_of(month_key(KEY, MONTH), 2_000, MONTH)
    hard = [person for person in people if person.hard]
    assert 0.05 < len(hard) / len(people) < 0.15
    pairs = list(zip(hard[::2], hard[1::2], strict=False))
    names = [
        (a.truth["first_name"], a.truth["surname"]) == (b.truth["first_name"], b.truth["surname"])
        for a, b in pairs
    ]
    births = [a.born == b.born for a, b in pairs]
    assert any(names)
    assert any(births)
    assert {person.truth["sex"] for person in people} == {"m", "f"}


def test_synthetic_rows_look_like_rows_of_their_source() -> None:
    """Gaps and indicators are those of the source; no real id, and no protected row, is lent."""
    frame = extract(1_000)
    made = synthetic_rows(sampled(frame), QUALITY, KEY, "council_records", TODAY)
    kinds = Counter(made.kinds)
    assert set(kinds) <= set(KINDS)
    assert kinds["decoy"] == (len(frame) + len(made.kinds) - kinds["decoy"]) * 10 // 90
    assert 60 < len(made.kinds) - kinds["decoy"] <= 100
    assert list(made.frame.columns) == list(frame.columns)
    assert set(made.frame["source_record_id"]) == {""}
    assert set(made.frame["protected"]) == {""}
    for name in ("nhs_number", "indicator.neet", "phone"):
        real = (frame[name] != "").mean()
        assert abs((made.frame[name] != "").mean() - real) < 0.12
    real_people = set(
        zip(frame["first_name"], frame["surname"], frame["date_of_birth"], strict=True)
    )
    synthetic = zip(
        *(made.frame[n] for n in ("first_name", "surname", "date_of_birth")), strict=True
    )
    assert sum(row in real_people for row in synthetic) < 3


def test_partners_hold_many_of_the_same_people_and_not_all() -> None:
    """Two sources of like age share most of their sentinels; decoys are shared by nobody."""
    first, second = (
        synthetic_rows(sampled(extract(1_000)), QUALITY, KEY, source, TODAY)
        for source in ("police_records", "council_records")
    )
    people = [
        {p for p, kind in zip(made.persons, made.kinds, strict=True) if kind != "decoy"}
        for made in (first, second)
    ]
    both = len(people[0] & people[1])
    assert 0.4 * len(people[0]) < both < 0.95 * len(people[0])
    assert len(set(first.persons) & set(second.persons)) == both


def test_a_small_source_gets_few() -> None:
    """A source of some dozen rows is not drowned in synthetic ones."""
    made = synthetic_rows(sampled(extract(40)), QUALITY, KEY, "council_records", TODAY)
    assert sum(kind != "decoy" for kind in made.kinds) <= 20
    empty = synthetic_rows(Sampler(), QUALITY, KEY, "council_records", TODAY)
    assert empty.kinds == []


def test_sentinels_are_held_twice_as_often_as_real_people_are() -> None:
    """A source without repeats repeats nobody; one that repeats does so with new errors."""
    frame = extract(600)
    frame["surname"] = [f"person{at}" for at in range(600)]
    again = frame.iloc[:150].assign(address="another road")
    for table, low, high in ((frame, 0.0, 0.0), (pd.concat([frame, again]), 0.08, 0.32)):
        sampler = sampled(table)
        assert sampler.repeated == pytest.approx(0.2 if high else 0.0)
        made = synthetic_rows(sampler, QUALITY, KEY, "council_records", TODAY)
        people = [
            each for each, kind in zip(made.persons, made.kinds, strict=True) if kind != "decoy"
        ]
        assert len(people) <= 100
        assert low <= 1 - len(set(people)) / len(people) <= high
        assert max(Counter(people).values()) <= 2


def test_errors_are_measured_on_repeated_identifiers() -> None:
    """A source whose repeats differ often gets more errors than one whose repeats agree."""
    frame = extract(600, nhs_number="")
    frame["nhs_number"] = [f"{9434765919 - at // 2}" for at in range(600)]
    same = frame.copy()
    for name in ("first_name", "surname", "date_of_birth", "sex", "address"):
        same[name] = [frame[name].iloc[at - at % 2] for at in range(600)]
    dirty, clean = Disagreements(), Disagreements()
    dirty.see(frame)
    clean.see(same)
    assert dirty.pairs["first_name"] == 300
    assert dirty.rates().first_name > 0.3 > ErrorRates().first_name > clean.rates().first_name
    assert Disagreements().rates().first_name == pytest.approx(ErrorRates().first_name)


@given(st.integers(0, 2**32), st.sampled_from([0.0, 1.0]))
@settings(deadline=None, max_examples=30)
def test_errors_leave_values_that_are_clean(seed: int, rate: float) -> None:
    """Whatever is struck, a date stays a date, and without errors nothing changes but the home."""
    rates = ErrorRates(*([rate] * 8))
    for person in people_of(month_key(KEY, seed % 24_000), 5, MONTH):
        row = written_down(random.Random(seed), person, rates)
        date.fromisoformat(row["date_of_birth"])
        assert row["first_name"]
        if rate == 0.0:
            assert row["first_name"] == person.truth["first_name"]
            assert row["address"] == person.home.address


def test_rows_are_mixed_and_none_is_lost() -> None:
    """Synthetic rows come to lie in every batch, and the order of real rows is not kept."""
    schema = pa.schema([pa.field("handle", pa.int64())])
    real = [
        pa.record_batch([pa.array(range(start, start + 1_000))], schema=schema)
        for start in range(0, 3_000, 1_000)
    ]
    synthetic = pa.record_batch([pa.array(range(10_000, 10_600))], schema=schema)
    mixed = interleave(real, [1_000] * 3, synthetic)
    batches = [batch.column(0).to_pylist() for batch in mixed]
    assert sorted(value for batch in batches for value in batch) == [
        *range(3_000),
        *range(10_000, 10_600),
    ]
    for batch in batches:
        assert 100 < sum(value >= 10_000 for value in batch) < 300
        assert batch != sorted(batch)


def test_a_key_is_read_back_and_commits() -> None:
    """What was written is read; another salt or handle gives another commitment; damage is seen."""
    record = SyntheticRecord("0" * 32, "1" * 32, "plain", {"sex": "f", "mover": "stayer"})
    key = write_key([record], bytes(32))
    assert read_key(key) == [record]
    assert commitment(key) != commitment(write_key([record], bytes(31) + b"\1"))
    with pytest.raises(FormatError):
        read_key(key[: len(key) // 2])
    with pytest.raises(FormatError, match="twice"):
        read_key(write_key([record, record], bytes(32)))
    odd = SyntheticRecord("0" * 32, "1" * 32, "plain", {"sex": "x"})
    with pytest.raises(FormatError, match="closed lists"):
        read_key(write_key([odd], bytes(32)))


def test_bands_are_of_the_closed_lists_and_only_those_agreed() -> None:
    """A band of spelling says nothing where there is no name; a mover has dates that say so."""
    assert name_band("sarah", "thornley") == "common_local"
    assert name_band("oleksandr", "bondarenko") == "transliterated"
    assert name_band("piotr", "nowak") == "other_latin"
    assert name_band("", "") is None
    frame = extract(30, address_from="2026-05-01", address_to="")
    for found in bands_of(frame, ("sex", "age_band", "name_origin", "mover"), TODAY):
        assert all(value in VALUES[name] for name, value in found.items())  # type: ignore[index]
        assert found["mover"] == "mover"
    assert set(bands_of(frame, ("sex",), TODAY)[0]) == {"sex"}
    assert "mover" not in bands_of(extract(1), ("mover",), TODAY)[0]


def test_a_key_that_expands_is_refused_before_it_does() -> None:
    """A hub is handed keys of whatever bytes a partner committed to."""
    record = SyntheticRecord("0" * 32, "1" * 32, "plain", {})
    with pytest.raises(FormatError, match="announces"):
        read_key(write_key([record] * 100, bytes(32)), 99)
    whole = pa.ipc.open_file(write_key([record] * 1_000_000, bytes(32)))
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(sink, whole.schema, options=options) as writer:
        writer.write_table(table := whole.read_all())
    key = sink.getvalue().to_pybytes()
    assert 10 * len(key) < table.nbytes
    with pytest.raises(FormatError, match="announces"):
        read_key(key, 1_000_000)


def test_synthetic_rows_are_sealed_and_purged(tmp_path: Path) -> None:
    """Rows open by handle, stand in clear nowhere, and go when their time is over."""
    database = AgentDatabase(tmp_path / "agent.db")
    store = SyntheticRows(database, bytes(32))
    handle = bytes(range(16))
    key = SyntheticKey("a" * 32, "council_records", write_key([], bytes(32)))
    store.put(key, [handle], [{"surname": "quixwald"}], TODAY)
    assert store.get_many([handle, bytes(16)]) == {handle: {"surname": "quixwald"}}
    assert store.has([handle, bytes(16)]) == {handle}
    assert store.key_of("a" * 32) == key
    assert store.key_of("b" * 32) is None
    assert store.purge(date(2027, 11, 30), 365) == 1
    assert store.get_many([handle]) == {}
    database.close()
    assert b"quixwald" not in (tmp_path / "agent.db").read_bytes()


def test_a_slip_leaves_words_parted_by_one_space() -> None:
    """Where a word of one letter is lost or moved, the agent can still answer about the row."""
    person = people_of(month_key(KEY, MONTH), 1, MONTH)[0]
    home = Home("4 a road", "EX1 1AA", "")
    person = replace(person, home=home, former=home)
    for seed in range(300):
        row = written_down(random.Random(seed), person, ErrorRates(*([1.0] * 8)))
        assert row["address"] == " ".join(row["address"].split())
        assert facet("address", (row["address"], row["postcode"], row["uprn"]))
