"""YAML that people edit: catalogues of criteria and of unit costs, statements of savings.

Rules, in order: the file is small, UTF-8 and plain YAML; every key is known and of its kind. What
is wrong is said all at once, each with its line, its place in words (an entry by its id), and what
was expected; never with the value.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from governance.agreements.files import line_of, parse_yaml
from governance.errors import FormatError
from governance.terminal import read_bytes
from linkage_hub.errors import HubError

Edited = TypeVar("Edited", bound=BaseModel)
SHOWN_MOST: Final = 20
"""Faults that are listed; whoever has more has begun from something else."""


class FileNotUsable(HubError):
    """A file that somebody edits has faults; the message lists them."""

    reason = "analytics.file"
    exit_code = 65  # EX_DATAERR


_WORDS: Final = {
    "missing": "is missing",
    "extra_forbidden": "is not a key that is known here",
    "string_type": "expected text; put it in quotes",
    "string_too_short": "expected some text",
    "string_pattern_mismatch": "not written as it must be",
    "decimal_parsing": "expected a number, such as 435 or 17.03",
    "decimal_type": "expected a number, such as 435 or 17.03",
    "finite_number": "expected a number, such as 435 or 17.03",
    "int_parsing": "expected a whole number",
    "int_type": "expected a whole number",
    "bool_parsing": "expected true or false",
    "bool_type": "expected true or false",
    "tuple_type": "expected a list: lines that begin with -",
    "dict_type": "expected keys and values",
    "model_type": "expected keys and values",
    "model_attributes_type": "expected keys and values",
}
_UNIONS: Final = ("function-", "constrained-", "is-instance", "tagged-union")


def read_edited(path: Path, model: type[Edited]) -> Edited:
    """A file, checked.

    Raises:
        FileNotUsable: with every fault.
        FileProblem: it cannot be read.
    """
    return parse_edited(read_bytes(path), model, path.name)


def parse_edited(raw: bytes, model: type[Edited], name: str) -> Edited:
    """The bytes of a file, checked; ``name`` is for messages. Raises as `read_edited`."""
    try:
        text = raw.decode("utf-8-sig")
        data = parse_yaml(text)
    except UnicodeDecodeError:
        raise FileNotUsable(f"{name}: not UTF-8", next_step="save it as UTF-8") from None
    except FormatError as error:
        raise FileNotUsable(
            f"{name}: {error.message}", next_step="indent with spaces; key: value"
        ) from None
    if not isinstance(data, dict):
        raise FileNotUsable(f"{name}: expected keys and values, as in the guide")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults = list(_faults(text, data, error))
        more = [f"... and {len(faults) - SHOWN_MOST} more"] if len(faults) > SHOWN_MOST else []
        raise FileNotUsable(
            "\n".join([f"{name}: {len(faults)} to put right", *faults[:SHOWN_MOST], *more]),
            next_step="correct these lines and check the file again",
        ) from None


def _faults(text: str, data: Any, error: ValidationError) -> Iterator[str]:
    items = error.errors(include_url=False, include_input=False)
    for item in items:
        place, loc = _place(data, item["loc"]), item["loc"]
        within = any(each["loc"][: len(loc)] == loc for each in items if each["loc"] != loc)
        if item["type"] == "too_short" and within:
            continue  # its entries are there, and have faults of their own
        yield f"  line {line_of(text, place)}: {_named(data, place)}{_words(item)}"


def _place(data: Any, loc: Sequence[str | int]) -> list[str | int]:
    """The parts of a place that are in the file; pydantic names alternatives in between."""
    place, here = [], data
    for at, part in enumerate(loc):
        inside = _at(here, part)
        last = at == len(loc) - 1
        if inside is not None or (last and not str(part).startswith(_UNIONS)):
            place.append(part)
            here = inside
    return place


def _at(here: Any, part: str | int) -> Any:
    if isinstance(here, dict):
        return here.get(part)
    if isinstance(here, list) and isinstance(part, int) and part < len(here):
        return here[part]
    return None


def _named(data: Any, place: Sequence[str | int]) -> str:
    """A place in words: entries of lists by their ids where they have one."""
    words, here = [], data
    for part in place:
        here = _at(here, part)
        id_ = here.get("id") if isinstance(part, int) and isinstance(here, dict) else None
        known = isinstance(id_, str) and id_.isascii() and id_.replace("_", "").isalnum()
        words.append(str(id_) if known else f"entry {part + 1}" if isinstance(part, int) else part)
    return f"{', '.join(words)}: " if words else ""


def _words(item: Any) -> str:
    kind = str(item["type"])
    if kind == "value_error":
        return str(item["msg"]).removeprefix("Value error, ")
    if kind in {"literal_error", "enum"}:
        return f"expected {item['ctx']['expected']}"
    if kind == "too_short":
        least = item["ctx"]["min_length"]
        return f"expected {'one' if least == 1 else least} at least"
    return _WORDS.get(kind, str(item["msg"]))
