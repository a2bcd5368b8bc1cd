"""People whom a record names: partner, child, parent, guardian.

A mention is encoded with the schema and secret of records, so that the hub can compare it with
any record. It holds what the record says of the person (names, perhaps a date of birth) and the
record's own address, which the two may share. Since it lacks other fields, it is compared by
containment, ``|a AND m| / |m|``, and not by Dice: bits that only the record has cost nothing.
"""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from governance.exchange.submission import RELATIONS
from partner_agent.encoding.clk import ClkEncoder
from partner_agent.encoding.tokens import cleaned_column

Mention = tuple[str, bytes]  # relation, encoding

_PERSON_COLUMNS: Final = ("first_name", "surname", "date_of_birth")
_HOME_COLUMNS: Final = ("address", "postcode")
_COLUMN: Final = re.compile(r"mention\.(\d+)\.relation")


def mention_numbers(columns: Sequence[str]) -> list[int]:
    """Numbers of the mentions that a cleaned table has columns for."""
    return sorted(int(found[1]) for each in columns if (found := _COLUMN.fullmatch(each)))


def mentions_of(encoder: ClkEncoder, frame: pd.DataFrame) -> list[list[Mention]]:
    """The mentions of each cleaned row, as relation and encoding.

    A mention needs a first name, and a surname or a date of birth: less would fit half a town.
    A protected row lends its mentions no address. One that the schema refuses is left out.
    """
    found: list[list[Mention]] = [[] for _ in range(len(frame))]
    for number in mention_numbers(list(frame.columns)):
        relations = cleaned_column(frame, f"mention.{number}.relation")
        people = _people(encoder, frame, number)
        named = (people["first_name"] != "") & (
            (people["surname"] != "") | (people["date_of_birth"] != "")
        )
        known = np.array([each in RELATIONS for each in relations], dtype=np.bool_)
        rows = np.flatnonzero(named.to_numpy() & known)
        chunk = encoder.encode(people.iloc[rows])
        for at, row in enumerate(rows.tolist()):
            if chunk.accepted[at]:
                found[row].append((relations[row], chunk.encodings[at].tobytes()))
    return found


def containment(record: NDArray[np.uint8], mention: NDArray[np.uint8]) -> float:
    """Share of a mention's bits that a record has; 0 for an empty mention."""
    bits = int(np.bitwise_count(mention).sum())
    return int(np.bitwise_count(record & mention).sum()) / bits if bits else 0.0


def _people(encoder: ClkEncoder, frame: pd.DataFrame, number: int) -> pd.DataFrame:
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
