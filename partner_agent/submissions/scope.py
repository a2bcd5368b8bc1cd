"""What of a mapping an agreement is asked for: items and indicators, by the agreement's own ids."""

from governance.agreements.models import Source
from partner_agent.extracts.mapping import SourceMapping

_HISTORY = {"address_from", "address_to"}
_NAMES = {"first_name", "surname"}


def mapping_items(mapping: SourceMapping) -> tuple[str, ...]:
    """Ids of the items that a mapping takes from its extract, sorted."""
    found = {name for name, column in mapping.columns if column is not None}
    if "full_name" in found:
        found = found - {"full_name"} | _NAMES
    if found & _HISTORY:
        found = found - _HISTORY | {"address_history"}
    if mapping.mentions:
        found.add("mentions")
    return tuple(sorted(found))


def only_agreed(mapping: SourceMapping, source: Source) -> SourceMapping:
    """The mapping without what the agreement does not list for its source."""
    agreed = set(source.items)
    columns = {
        name: column
        for name, column in mapping.columns
        if column is not None and _item(name) <= agreed
    }
    return mapping.model_copy(
        update={
            "columns": type(mapping.columns).model_validate(columns),
            "mentions": mapping.mentions if "mentions" in agreed else (),
            "indicators": {
                name: rule for name, rule in mapping.indicators.items() if name in source.indicators
            },
        }
    )


def _item(column: str) -> set[str]:
    if column == "full_name":
        return _NAMES
    return {"address_history"} if column in _HISTORY else {column}
