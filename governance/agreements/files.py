"""Agreements as files: YAML that an IG lead can read.

Rules: dates stay text; no key twice, no aliases, no tags; a number is what it looks like. YAML 1.1
reads ``010`` as eight, ``1:30`` as ninety and ``1_000`` as a thousand; here they are refused.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from governance.agreements.models import Agreement
from governance.errors import FormatError
from governance.identity.envelope import parse_model

FILE_MAX_BYTES = 1024 * 1024
_ODD_NUMBER = re.compile(r"[_:]|^[-+]?0[0-9a-zA-Z]")
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class _Loader(yaml.SafeLoader):
    """YAML's safe subset: dates stay text, no key twice, no aliases (they multiply) and no tags."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse what could make a short text large, or a value of another type."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        tag = getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent) or tag not in (None, "!"):
            line = event.start_mark.line + 1
            raise FormatError(f"line {line}: aliases and tags are not used here")
        found: yaml.Node | None = super().compose_node(parent, index)
        return found


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    if any(not isinstance(key, yaml.ScalarNode) for key, _ in node.value):
        raise FormatError(f"line {node.start_mark.line + 1}: a key must be a word")
    pairs = [
        (loader.construct_object(key, deep=True), loader.construct_object(value, deep=True))
        for key, value in node.value
    ]
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FormatError(f"line {node.start_mark.line + 1}: the same key twice")
    return found


def _number(loader: _Loader, node: yaml.ScalarNode) -> Any:
    if _ODD_NUMBER.search(node.value):
        raise FormatError(
            f"line {node.start_mark.line + 1}: expected a number in plain digits, such as 435 or "
            "17.03; put text in quotes"
        )
    return yaml.SafeLoader.yaml_constructors[node.tag](loader, node)


for _tag in _NUMBERS:
    _Loader.add_constructor(_tag, _number)
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def parse_yaml(text: str) -> Any:
    """YAML to plain data; dates stay text; duplicate keys, aliases and tags are refused.

    Raises:
        FormatError: with the line.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise FormatError(f"line {line}: not YAML") from None
    except (yaml.YAMLError, ValueError, RecursionError):  # a number or a depth without end
        raise FormatError("not YAML") from None


def line_of(text: str, place: Sequence[str | int]) -> int:
    """The line, from 1, of what is at a place in YAML text, or of the nearest above it.

    Args:
        text: YAML that ``parse_yaml`` reads.
        place: keys and positions from the outside in, as pydantic tells them.
    """
    node = yaml.compose(text, Loader=_Loader)
    line = 1
    for part in place:
        found = _inside(node, part)
        if found is None:
            break
        line, node = found
    return line


def _inside(node: yaml.Node | None, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        value = node.value[part]
        return value.start_mark.line + 1, value
    return None


def read_text(path: Path) -> str:
    """The text of a file that people edit.

    Raises:
        FormatError: it cannot be read, is larger than ``FILE_MAX_BYTES``, or is not UTF-8.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path.name}: cannot be read: {error.strerror}") from None
    if len(raw) > FILE_MAX_BYTES:
        raise FormatError(f"{path.name}: larger than {FILE_MAX_BYTES} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FormatError(f"{path.name}: not UTF-8") from None


def read_agreement(path: Path) -> Agreement:
    """Read and check an agreement file.

    Raises:
        FormatError: unreadable, not YAML, or fields wrong; says which. Also where the quorum can
            never be reached: what was signed so is read all the same, and nothing rests on it.
    """
    agreement = parse_model(parse_yaml(read_text(path)), Agreement)
    if agreement.witnessing.quorum > len(agreement.partners):
        raise FormatError(
            f"{path.name}: witnessing.quorum: more witnesses than parties that can be one; "
            "a processor without a source is none"
        )
    return agreement


def write_agreement(agreement: Agreement) -> str:
    """The YAML of an agreement."""
    return yaml.safe_dump(
        agreement.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100
    )
