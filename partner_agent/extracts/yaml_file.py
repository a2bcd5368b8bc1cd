"""YAML read as text: every scalar stays a string; ``Y``, ``No`` and ``007`` mean themselves."""

from pathlib import Path
from typing import Any

import yaml

from partner_agent.extracts.errors import MappingNotReadError

_MAX_BYTES = 1_048_576  # of a mapping


class _TextLoader(yaml.BaseLoader):
    """Strings, lists and dictionaries only; a key given twice is an error."""


def _mapping(loader: _TextLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    twice = {str(key) for key in keys if keys.count(key) > 1}
    if twice:
        raise yaml.constructor.ConstructorError(
            None, None, f"given twice: {', '.join(sorted(twice))}", node.start_mark
        )
    return {
        key: loader.construct_object(value, deep=True)
        for key, (_, value) in zip(keys, node.value, strict=True)
    }


_TextLoader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read_yaml(path: Path) -> Any:
    """The content of a YAML file, all scalars as text.

    Raises:
        MappingNotReadError: no such file, not UTF-8, too large, or not YAML.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise MappingNotReadError(
            f"{path.name} cannot be read: {error.strerror or type(error).__name__}",
            next_step="check the path of the mapping",
        ) from None
    except UnicodeDecodeError:
        raise MappingNotReadError(
            f"{path.name} is not UTF-8", next_step="save the mapping as UTF-8"
        ) from None
    if len(data) > _MAX_BYTES:
        raise MappingNotReadError(
            f"{path.name} is larger than {_MAX_BYTES:,} bytes",
            next_step="give the mapping, not the extract",
        )
    return parse_yaml(text, path.name)


def parse_yaml(text: str, name: str) -> Any:
    """The content of YAML text; ``name`` is used in messages.

    Raises:
        MappingNotReadError: not YAML.
    """
    try:
        return yaml.load(text, Loader=_TextLoader)  # noqa: S506 - builds plain text, lists, dicts
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise MappingNotReadError(
            f"{name} is not valid YAML{place}: {problem}",
            next_step="correct the line; indent with spaces",
        ) from None
