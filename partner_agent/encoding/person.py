"""The project's linkage schema for persons, over the columns of the cleaned table."""

import json
from collections.abc import Collection, Mapping
from importlib.resources import files
from typing import Any, Final

from governance.agreements.encoding import Hardening, View
from partner_agent.encoding.errors import ColumnMissingError

DEFAULT_K: Final = 4
_VIEWS: Final = tuple(  # id, what it leaves out, what it needs; docs/adr/0008 says why these
    View(id=name, leaves_out=leaves_out, needs=needs)
    for name, leaves_out, needs in (
        ("without_first_name", ("first_name", "middle_name"), ("surname", "date_of_birth")),
        ("without_surname", ("surname",), ("first_name", "date_of_birth")),
        ("without_birth_date", ("date_of_birth",), ("first_name", "surname", "address")),
        ("without_birth_year", ("date_of_birth.year",), ("first_name", "surname")),
        ("without_birthday", ("date_of_birth.day_month",), ("first_name", "surname")),
        ("without_address", ("address", "postcode"), ("first_name", "surname", "date_of_birth")),
    )
)


def default_schema() -> dict[str, Any]:
    """The linkage schema document for persons, a new copy at each call."""
    text = files("partner_agent.encoding").joinpath("person_schema.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def schema_for(columns: Collection[str]) -> dict[str, Any]:
    """The default schema without the features that no source of an agreement has.

    Args:
        columns: cleaned columns that at least one source fills.

    Raises:
        ColumnMissingError: no feature would remain.
    """
    document = default_schema()
    document["features"] = [
        each for each in document["features"] if each["identifier"] in set(columns)
    ]
    if not document["features"]:
        raise ColumnMissingError("no source fills a column that the person schema encodes")
    return document


def default_hardening(schema: Mapping[str, Any], k: int = DEFAULT_K) -> Hardening:
    """The default views, as far as a schema has what they leave out and what they need.

    Args:
        schema: a linkage schema document, such as ``schema_for`` makes.
        k: how many majorities make a bit.
    """
    present = {each["identifier"] for each in schema["features"]}
    views = []
    for view in _VIEWS:
        leaves_out = tuple(each for each in view.leaves_out if each.partition(".")[0] in present)
        if leaves_out and set(view.needs) <= present:
            views.append(View(id=view.id, leaves_out=leaves_out, needs=view.needs))
    return Hardening(k=k, views=tuple(views))
