"""The project's linkage schema for persons, over the columns of the cleaned table."""

import json
from collections.abc import Collection
from importlib.resources import files
from typing import Any

from partner_agent.encoding.errors import ColumnMissingError


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
