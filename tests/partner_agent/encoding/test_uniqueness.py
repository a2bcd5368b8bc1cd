"""The agent refuses views that repeat for too many people."""

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


def check(frame: pd.DataFrame, hardening: Hardening) -> None:
    """Encode an extract in two chunks and check its views."""
    encoder = SubmissionEncoder(SCHEMA, KEYS, date(2026, 11, 24), hardening)
    for chunk in (frame.iloc[:70], frame.iloc[70:]):
        part = chunk.reset_index(drop=True)
        encoder.encode(part, [bytes([at]) * 16 for at in range(len(part))])
    encoder.check_views()


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
        encodings[0, :, 0] = [person for _, person in part]
        counter.add(encodings, pd.DataFrame(index=range(len(part))))
    wanted = sum(any(v == view and p != person for v, p in rows) for view, person in rows)
    assert counter.shared() == {"one": wanted}
