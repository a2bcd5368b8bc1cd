"""People whom a record names: partner, child, parent, guardian.

A mention is encoded with the schema and key of records' full encodings, so that the hub can
compare it with any record. It holds what the record says of the person (names, perhaps a date of
birth) and the record's own address, which the two may share. Since it lacks other fields, Dice
alone misleads. Profile ``clk`` compares by containment, ``|a AND m| / |m|``: bits that only the
record has cost nothing. Under ``hardened`` no bit belongs to a field, but the share of equal bits
still tells how much of both is common (``linkage_hub.families.mentions``).
"""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from governance.exchange.submission import CLK_FILL_LEAST, RELATIONS
from partner_agent.encoding.profiles import Encoder
from partner_agent.encoding.tokens import cleaned_column
from partner_agent.encoding.uniqueness import YEAR_ALONE

Mention = tuple[str, bytes]  # relation, encoding

_PERSON_COLUMNS: Final = ("first_name", "surname", "date_of_birth")
_HOME_COLUMNS: Final = ("address", "postcode")
_COLUMN: Final = re.compile(r"mention\.(\d+)\.relation")


def mention_numbers(columns: Sequence[str]) -> list[int]:
    """Numbers of the mentions that a cleaned table has columns for."""
    return sorted(int(found[1]) for each in columns if (found := _COLUMN.fullmatch(each)))


def mentions_of(encoder: Encoder, frame: pd.DataFrame) -> list[list[Mention]]:
    """The mentions of each cleaned row, as relation and encoding.

    A mention needs a first name and two of surname, date of birth and address, as far as the schema
    encodes them; the first of January may be a year alone and is no date of birth. So it says no
    less than what ``uniqueness`` takes for one person: less would fit half a town, and a name with
    a year, encoded, can be told by how often it comes. A protected row lends its mentions no
    address. One that the schema refuses, or of which it encodes too little, is left out.
    """
    found: list[list[Mention]] = [[] for _ in range(len(frame))]
    for number in mention_numbers(list(frame.columns)):
        relations = cleaned_column(frame, f"mention.{number}.relation")
        people = _people(encoder, frame, number)
        given, family, born, home = (
            (people[name] != "").to_numpy() & (name in encoder.schema.columns)
            for name in ("first_name", "surname", "date_of_birth", "address")
        )
        years = [date.endswith(YEAR_ALONE) for date in people["date_of_birth"]]
        born &= ~np.array(years, dtype=np.bool_)
        named = given & ((family & born) | (family & home) | (born & home))
        known = np.array([each in RELATIONS for each in relations], dtype=np.bool_)
        rows = np.flatnonzero(named & known)
        chunk = encoder.encode(people.iloc[rows])
        accepted = chunk.accepted & filled(chunk.encodings[0])
        for at, row in enumerate(rows.tolist()):
            if accepted[at]:
                found[row].append((relations[row], chunk.encodings[0, at].tobytes()))
    return found


def filled(encodings: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which encodings, uint8 (n, bytes), hold enough to be sent, bool (n,).

    Those of profile ``hardened`` always do: half of their bits are set whatever they hold.
    """
    least = CLK_FILL_LEAST * encodings.shape[1] * 8
    return np.asarray(np.bitwise_count(encodings).sum(axis=1, dtype=np.int64) >= least)


def containment(record: NDArray[np.uint8], mention: NDArray[np.uint8]) -> float:
    """Share of a mention's bits that a record has; 0 for an empty mention."""
    bits = int(np.bitwise_count(mention).sum())
    return int(np.bitwise_count(record & mention).sum()) / bits if bits else 0.0


def _people(encoder: Encoder, frame: pd.DataFrame, number: int) -> pd.DataFrame:
    """The named people as rows of the schema's columns."""
    empty = [""] * len(frame)
    columns = dict.fromkeys((*encoder.schema.columns, *_PERSON_COLUMNS), empty)
    for name in _PERSON_COLUMNS:
        columns[name] = cleaned_column(frame, f"mention.{number}.{name}")
    protected = cleaned_column(frame, "protected")
    for name in _HOME_COLUMNS:
        own = cleaned_column(frame, name)
        columns[name] = ["" if kept else text for kept, text in zip(protected, own, strict=True)]
    return pd.DataFrame(columns)
