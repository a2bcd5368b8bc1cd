"""A source mapping as a form: one question a column, and back to the YAML that commands use.

Rules: what the form cannot say (people whom a row mentions, one column with two meanings) is kept
as it stands in the mapping, or the mapping is edited as text; every choice ends in the parts'
own checks (``build_mapping``), whose words are shown.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from governance.durable import write_durably
from partner_agent.cleansing.errors import OutputNotWrittenError
from partner_agent.extracts.errors import MappingError
from partner_agent.extracts.mapping import SourceMapping, build_mapping, load_mapping
from partner_agent.extracts.yaml_file import parse_yaml

ROLES: Final = (
    "record_id", "first_name", "middle_name", "surname", "full_name", "date_of_birth", "day",
    "month", "year", "sex", "nhs_number", "nino", "upn", "address", "postcode", "uprn", "phone",
    "email", "address_from", "address_to", "opt_out", "opt_out_nhs_number", "protected",
)  # fmt: skip
"""What a column may be, in the order of the choices; the words are ``role.NAME``."""
NEED: Final = "need:"
"""Before the id of an indicator."""
KINDS: Final = ("at_least", "below", "equals")
"""When a need is met; the words are ``agent.rule.NAME``."""
_BIRTH: Final = ("day", "month", "year")
_MARKERS: Final = ("opt_out", "protected")
_SEVERAL: Final = frozenset({"address"})
_HEAD: Final = "# Written by partner-agent console; docs/architecture.md, Source mapping.\n"
FOLDER: Final = "mappings"


def mapping_file(home: Path, source: str) -> Path:
    """Where the console keeps a source's mapping."""
    return home / FOLDER / f"{source}.yaml"


def kept_mapping(home: Path, source: str) -> dict[str, Any] | None:
    """The mapping that was used the last time, as plain data; None where there is none."""
    try:
        return plain(load_mapping(mapping_file(home, source)))
    except MappingError:
        return None


def keep_mapping(home: Path, mapping: SourceMapping) -> Path:
    """Write a mapping where the next extract of its source begins with it.

    Raises:
        OutputNotWrittenError: the home cannot be written to.
    """
    file = mapping_file(home, mapping.source)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(file, (_HEAD + as_yaml(plain(mapping))).encode("utf-8"))
    except OSError as error:
        raise OutputNotWrittenError(
            f"the mapping could not be written: {error.strerror or type(error).__name__}",
            next_step="free some space, then try again",
        ) from None
    return file


def plain(mapping: SourceMapping) -> dict[str, Any]:
    """A mapping as it stands in YAML, without what it leaves to the defaults."""
    data: dict[str, Any] = mapping.model_dump(mode="json", exclude_defaults=True)
    _one_address(data["columns"])
    return data


def as_yaml(data: Mapping[str, Any]) -> str:
    """Plain data as YAML text."""
    text: str = yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True)
    return text


def of_text(text: str, source: str) -> dict[str, Any]:
    """A mapping from YAML that somebody has typed, checked, as plain data.

    Raises:
        MappingError: it is not YAML, or no mapping of this source.
    """
    data = parse_yaml(text, "the mapping")
    if isinstance(data, dict):
        data = {**data, "source": source}
    return plain(build_mapping(data, "the mapping"))


def suggested(text: str, source: str) -> dict[str, Any]:
    """What a profile suggests, as plain data that need not be whole yet."""
    data = parse_yaml(text, "the suggestion")
    if not isinstance(data, dict):
        return {"source": source}
    _one_address(data.get("columns", {}))
    return {**data, "source": source}


def _one_address(columns: dict[str, Any]) -> None:
    """Write one column of addresses as people write it, not as a list of one."""
    if isinstance(columns.get("address"), list) and len(columns["address"]) == 1:
        columns["address"] = columns["address"][0]


def uses(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(column, role) of all that a mapping takes, a column as often as it is used.

    Roles are those of ``ROLES``, ``NEED`` with an indicator's id, and ``mention``.
    """
    found: list[tuple[str, str]] = []
    if data.get("record_id"):
        found.append((data["record_id"], "record_id"))
    for role, column in data.get("columns", {}).items():
        if isinstance(column, dict):
            found += [(name, part) for part, name in column.items()]
        else:
            found += [(name, role) for name in ([column] if isinstance(column, str) else column)]
    for mention in data.get("mentions", ()):
        for column in mention["columns"].values():
            names = column.values() if isinstance(column, dict) else [column]
            found += [(name, "mention") for name in names]
    for indicator, rule in data.get("indicators", {}).items():
        found += [(name, NEED + indicator) for name in dict.fromkeys(inputs(rule))]
    found += [(data[marker]["column"], marker) for marker in _MARKERS if data.get(marker)]
    if data.get("opt_out_nhs_number"):
        found.append((data["opt_out_nhs_number"], "opt_out_nhs_number"))
    return found


def columns_of(data: Mapping[str, Any]) -> list[str]:
    """Every column that a mapping names."""
    return [column for column, _ in uses(data)]


def roles_of(data: Mapping[str, Any]) -> dict[str, str]:
    """What each column of a mapping is, as far as the form can say it."""
    rules = data.get("indicators", {})
    return {
        column: role
        for column, role in uses(data)
        if role in ROLES or (role.startswith(NEED) and simple(rules[role.removeprefix(NEED)]))
    }


def simple(rule: Mapping[str, Any]) -> bool:
    """Whether the form can say a need's rule: one column, and a number or words."""
    return "column" in rule and set(rule) <= {"column", *KINDS}


def inputs(rule: Mapping[str, Any]) -> list[str]:
    """Every column that a need's rule names."""
    found: list[str] = []
    for key in ("column", "on", "columns", "dates"):
        value = rule.get(key, ())
        found += [value] if isinstance(value, str) else value
    return found


def form_can_say(data: Mapping[str, Any]) -> bool:
    """Whether the form shows all that a mapping says of its columns."""
    again, _ = with_roles(data, list(roles_of(data).items()))
    keys = ("record_id", "columns", "indicators", "opt_out", "protected", "opt_out_nhs_number")
    return all((again.get(key) or None) == (data.get(key) or None) for key in keys)


def with_roles(
    data: Mapping[str, Any], chosen: Sequence[tuple[str, str]]
) -> tuple[dict[str, Any], dict[str, str]]:
    """A mapping with other roles for its columns; what the form does not ask for is kept.

    Args:
        data: the mapping before.
        chosen: (column, role) in the order of the extract; role ``""`` is not used.

    Returns:
        The mapping as plain data, and what is wrong with a column's choice: the words' key, by
        column.
    """
    columns: dict[str, Any] = {}
    new: dict[str, Any] = {}
    indicators: dict[str, Any] = {}
    birth: dict[str, str] = {}
    faults: dict[str, str] = {}
    for column, role in chosen:
        places = _place(role, new, columns, birth)
        if role.startswith(NEED):
            id_ = role.removeprefix(NEED)
            if id_ in indicators:
                faults[column] = "agent.columns.need"
            indicators[id_] = {**data.get("indicators", {}).get(id_, {}), "column": column}
        elif role in _SEVERAL:
            columns[role] = [*columns.get(role, []), column]
        elif role in places:
            faults[column] = "agent.columns.taken"
        elif role:
            places[role] = {**data.get(role, {}), "column": column} if role in _MARKERS else column
    if birth:
        columns["date_of_birth"] = birth
        if set(birth) != set(_BIRTH):
            faults[next(iter(birth.values()))] = "agent.columns.birth"
    _one_address(columns)
    kept = {name: data[name] for name in ("sheet", "dates", "names", "mentions") if name in data}
    found = {"source": data["source"], **new, "columns": columns, **kept}
    return (found | {"indicators": indicators} if indicators else found), faults


def _place(
    role: str, new: dict[str, Any], columns: dict[str, Any], birth: dict[str, str]
) -> dict[str, Any]:
    """Where in a mapping a role stands."""
    if role in {"record_id", *_MARKERS, "opt_out_nhs_number"}:
        return new
    return birth if role in _BIRTH else columns


def whole(data: Mapping[str, Any], columns: Sequence[str]) -> SourceMapping:
    """The mapping, checked, for an extract with these columns.

    Raises:
        MappingError: saying what is missing or wrong.
    """
    mapping = build_mapping(data, "the mapping")
    mapping.check_columns(columns)
    return mapping
