"""The agent refuses encodings that repeat for too many people, and leaves namesakes out."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.agreements.encoding import Hardening, View
from partner_agent.encoding.errors import ViewNotUniqueError
from partner_agent.encoding.person import default_hardening, default_schema
from partner_agent.encoding.schema import LinkageSchema
from partner_agent.encoding.submission import SubmissionEncoder
from partner_agent.encoding.tokens import LinkageKeys
from partner_agent.encoding.uniqueness import ViewCounter

SCHEMA = LinkageSchema.parse(default_schema())
KEYS = LinkageKeys.derive(bytes(range(32)), "sha256:" + "00" * 32, 1)
NAMES_ALONE = Hardening(
    k=3, views=(View(id="names_alone", leaves_out=("date_of_birth", "address", "postcode")),)
)


def town(people: int = 200) -> pd.DataFrame:
    """People of twenty names, each with a birth date and a home."""
    return pd.DataFrame(
        {
            "first_name": [f"name{chr(97 + at % 20)}" for at in range(people)],
            "surname": "quixwald",
            "date_of_birth": [
                f"{1930 + at % 90}-{at % 12 + 1:02d}-{at // 9 + 1:02d}" for at in range(people)
            ],
            "sex": "f",
            "address": [f"{at} high street" for at in range(people)],
            "postcode": "BN1 1AA",
        }
    )


def encoded(frame: pd.DataFrame, hardening: Hardening | None) -> SubmissionEncoder:
    """An encoder that has seen an extract in two chunks."""
    encoder = SubmissionEncoder(SCHEMA, KEYS, date(2026, 11, 24), hardening)
    for chunk in (frame.iloc[:70], frame.iloc[70:]):
        part = chunk.reset_index(drop=True)
        encoder.encode(part, [bytes([at]) * 16 for at in range(len(part))])
    return encoder


def check(frame: pd.DataFrame, hardening: Hardening | None) -> None:
    """Encode an extract and check its encodings."""
    encoded(frame, hardening).check_views()


PROFILES = pytest.mark.parametrize(
    "hardening",
    [None, Hardening(k=4, views=()), default_hardening(default_schema())],
    ids=["clk", "no views", "default"],
)


@PROFILES
@pytest.mark.parametrize("also", ["", "sex", "postcode", "year of birth", "date of birth"])
def test_an_extract_of_names_is_refused(hardening: Hardening | None, also: str) -> None:
    """Namesakes have one encoding in every profile, also with what many of them share."""
    empty = {"": ("sex",), "sex": (), "year of birth": (), "date of birth": ("surname",)}
    frame = town().assign(address="")
    if also != "postcode":
        frame = frame.assign(postcode="")
    if also == "date of birth":
        frame = frame.assign(date_of_birth="1980-05-06")  # with a first name alone
    else:
        frame = frame.assign(date_of_birth="1980-01-01" if also == "year of birth" else "")
    frame = frame.assign(**dict.fromkeys(empty.get(also, ()), ""))
    with pytest.raises(ViewNotUniqueError) as caught:
        check(frame, hardening)
    assert "the full encoding: 200 of 200 records (100.0%)" in caught.value.message
    assert "date of birth or an address" in caught.value.next_step


@PROFILES
def test_the_few_rows_of_names_alone_that_repeat_are_left_out(hardening: Hardening | None) -> None:
    """An extract with some such rows is not refused for them; unusual names among them stay."""
    names = pd.DataFrame({"first_name": ["namea", "namea", "nameb"], "surname": "quixwald"})
    encoder = encoded(pd.concat([town(), names], ignore_index=True).fillna(""), hardening)
    encoder.check_views()
    assert np.flatnonzero(encoder.namesakes()).tolist() == [200, 201]


@PROFILES
def test_true_duplicates_are_no_namesakes(hardening: Hardening | None) -> None:
    """Rows that say the same of one person stay, with or without date of birth or address."""
    frame = town(61).iloc[1:]  # the first was born on the first of January
    undated = frame.assign(date_of_birth="")
    homeless = frame.assign(address="", postcode="")
    surnames = [f"quix{chr(97 + at // 26)}{chr(97 + at % 26)}" for at in range(60)]
    numbered = homeless.assign(
        date_of_birth="", surname=surnames, upn=[f"A{at:012}" for at in range(60)]
    )
    for each in (frame, undated, homeless, numbered):
        encoder = encoded(pd.concat([each, each], ignore_index=True), hardening)
        encoder.check_views()
        assert not encoder.namesakes().any()


def test_a_view_of_names_alone_is_refused() -> None:
    """The message has the view's name, the share and what to do, and no value."""
    with pytest.raises(ViewNotUniqueError) as caught:
        check(town(), NAMES_ALONE)
    error = caught.value
    assert error.reason == "encoding.view_not_unique"
    assert "names_alone: 200 of 200 records (100.0%)" in error.message
    assert "quixwald" not in error.message
    assert "views" in error.next_step


def test_default_views_are_not() -> None:
    """Default views pass; a record that lacks what a view needs keeps its whole token set."""
    check(town(), default_hardening(default_schema()))
    surnames = [f"quix{chr(97 + at // 26)}{chr(97 + at % 26)}" for at in range(200)]
    homeless = town().assign(address="", postcode="", surname=surnames)
    check(homeless, default_hardening(default_schema()))
    check(town(15), NAMES_ALONE)  # too few to say


def test_a_person_who_moved_is_no_namesake() -> None:
    """Records of one name and birth date are one person's, wherever they live."""
    frame = town(100)
    moved = frame.assign(address=[f"{at} low road" for at in range(100)])
    check(pd.concat([frame, moved], ignore_index=True), default_hardening(default_schema()))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=40))
def test_counts_equal_the_plain_definition(rows: list[tuple[int, int]]) -> None:
    """Law: a record counts when another one has its view and is somebody else."""
    counter = ViewCounter(Hardening(k=1, views=(View(id="one", leaves_out=("sex",)),)))
    for at in range(0, len(rows), 7):
        part = rows[at : at + 7]
        encodings = np.zeros((2, len(part), 128), dtype=np.uint8)
        encodings[1, :, 0] = [view for view, _ in part]
        encodings[0, :, 0] = [view % 2 for view, _ in part]
        people = {"upn": [str(person) if person else "" for _, person in part]}
        counter.add(encodings, pd.DataFrame(people))
    views = [view for view, _ in rows]
    persons = [person or -at for at, (_, person) in enumerate(rows, start=1)]  # 0: nobody knows
    assert counter.shared() == {
        "full": sum(_others(at, [view % 2 for view in views], persons) for at in range(len(rows))),
        "one": sum(_others(at, views, persons) for at in range(len(rows))),
    }
    assert counter.namesakes().tolist() == [
        _others(at, [view % 2 for view in views], persons) for at in range(len(rows))
    ]


def _others(at: int, views: list[int], persons: list[int]) -> bool:
    """Whether somebody else's record has the view of this one."""
    return any(
        view == views[at] and person != persons[at]
        for view, person in zip(views, persons, strict=True)
    )
