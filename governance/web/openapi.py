"""OpenAPI of a service whose routes read their bodies themselves: bodies, refusals, examples.

Rules: every route says what it takes, what it gives and every reason for which it refuses (RFC
9457, by status); an example is made of a model's own schema and is read by the model before it is
shown, so that none can be wrong; what is written here is all that the service may answer, which
``tests`` hold it to with schemathesis.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from governance.errors import FormatError, ReasonedError

BYTES: Final = "application/octet-stream"
TEXT: Final = "text/plain"
JSON: Final = "application/json"
_PROBLEM: Final = "application/problem+json"
_DEFAULT: Final = 400  # as ``web.problems`` has it
_REF: Final = "#/components/schemas/{model}"
_OF_PATTERN: Final = {
    r"^[a-z][a-z0-9_-]{1,39}$": "council",
    r"^sha256:[0-9a-f]{64}$": "sha256:" + "3f" * 32,
    r"^[0-9a-f]{32}$": "3f" * 16,
    r"^f-[0-9a-f]{32}$": "f-" + "3f" * 16,
    r"^p-[0-9a-f]{32}$": "p-" + "3f" * 16,
    r"^[a-z0-9_]+(\.[a-z0-9_]+)*$": "consent.missing",
    r"^[0-9a-z_]{1,10}$": "5_10",
}
_OF_NAME: Final = {
    "payload": "eyJ9", "value": "c2lnbmVk", "payload_type": "submission/v1",
    "person": "p-" + "3f" * 16, "scheme": "ed25519",
}  # fmt: skip
_TIME: Final = "2026-11-28T21:00:00Z"


@dataclass(frozen=True)
class Described:
    """One route, as far as its signature does not say it.

    Attributes:
        refusals: errors for which it refuses; subclasses of the same module are meant too.
        body: what it takes: a model, a media type, or nothing.
        answer: what it gives where the route's own annotation does not say it.
        media: of an answer that is no model: one of these.
    """

    refusals: tuple[type[ReasonedError], ...]
    body: type[BaseModel] | str | None = None
    answer: type[BaseModel] | None = None
    media: tuple[str, ...] = ()


def document(
    app: FastAPI,
    routes: Mapping[str, Described],
    statuses: Mapping[type[ReasonedError], int],
    *,
    version: str,
    signed: str,
) -> dict[str, Any]:
    """The OpenAPI document of a service.

    Args:
        app: the service.
        routes: its routes, ``METHOD /path`` each, as the app spells them.
        statuses: HTTP status by error; the first class that an error is an instance of decides.
        version: of the interface.
        signed: what a caller has to know of signatures.

    Raises:
        KeyError: a route of the app is not described.
    """
    whole = get_openapi(title=app.title, version=version, description=signed, routes=app.routes)
    schemas = whole.setdefault("components", {}).setdefault("schemas", {})
    for stale in ("HTTPValidationError", "ValidationError"):
        schemas.pop(stale, None)
    schemas.update(_schemas(routes.values()))
    refused = _Refused()
    for path, operations in whole["paths"].items():
        for method, operation in operations.items():
            route = routes[f"{method.upper()} {path}"]
            _complete(operation, route, schemas)
            for status, reasons in reasons_by_status(route.refusals, statuses).items():
                operation["responses"][str(status)] = refused.of(status, reasons)
    whole["components"]["responses"] = refused.named
    return whole


def reasons_by_status(
    refusals: Iterable[type[ReasonedError]], statuses: Mapping[type[ReasonedError], int]
) -> dict[int, list[str]]:
    """Every reason for which a route refuses, by status, in order."""
    found: dict[int, set[str]] = {}
    for kind in _with_subclasses((FormatError, *refusals)):
        status = next((code for base, code in statuses.items() if issubclass(kind, base)), _DEFAULT)
        found.setdefault(status, set()).add(kind.reason)
    for status in (400, 404):
        found.setdefault(status, set()).add("http")
    return {status: sorted(found[status]) for status in sorted(found)}


def example(model: type[BaseModel]) -> Any:
    """A body of a model, as its schema allows it.

    Raises:
        ValidationError: the schema says less than the model; the model needs an example by hand.
    """
    schema = model.model_json_schema()
    made = _made(schema, schema.get("$defs", {}), "")
    model.model_validate(made)
    return made


def _with_subclasses(kinds: Iterable[type[ReasonedError]]) -> Iterator[type[ReasonedError]]:
    """Errors, and those below them that stand in the same module: others may not be loaded."""
    for kind in kinds:
        yield kind
        beside = [each for each in kind.__subclasses__() if each.__module__ == kind.__module__]
        yield from _with_subclasses(beside)


def _schemas(routes: Iterable[Described]) -> dict[str, Any]:
    models = {
        model for route in routes for model in (route.body, route.answer) if isinstance(model, type)
    }
    wanted: list[Any] = [(model, "validation") for model in sorted(models, key=str)]
    _, found = models_json_schema(wanted, ref_template=_REF)
    return dict(found.get("$defs", {}))


class _Refused:
    """Refusals of one status and the same reasons, each written once."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {}
        self._names: dict[tuple[Any, ...], str] = {}

    def of(self, status: int, reasons: list[str]) -> dict[str, str]:
        """A reference to it."""
        key = (status, *reasons)
        if key not in self._names:
            number = sum(each[0] == status for each in self._names)
            self._names[key] = f"refused_{status}" + (f"_{number + 1}" if number else "")
            self.named[self._names[key]] = _problem(status, reasons)
        return {"$ref": f"#/components/responses/{self._names[key]}"}


def _complete(operation: dict[str, Any], route: Described, schemas: Mapping[str, Any]) -> None:
    answers = operation["responses"]
    answers.pop("422", None)
    (good,) = (answers[status] for status in answers if status.startswith("2"))
    if route.answer is not None:
        good["content"] = {JSON: {"schema": _ref(route.answer)}}
    if route.media:
        kinds = {media: "object" if media == JSON else "string" for media in route.media}
        good["content"] = {media: {"schema": {"type": kind}} for media, kind in kinds.items()}
    for media, content in good.get("content", {}).items():
        if media == JSON:
            content["example"] = _made(content["schema"], schemas, "")
    if isinstance(route.body, str):
        content = {route.body: {"schema": {"type": "string", "format": "binary"}}}
        operation["requestBody"] = {"required": True, "content": content}
    elif route.body is not None:
        content = {JSON: {"schema": _ref(route.body), "example": example(route.body)}}
        operation["requestBody"] = {"required": True, "content": content}


def _problem(status: int, reasons: list[str]) -> dict[str, Any]:
    members = {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "const": status},
        "detail": {"type": "string"},
        "reason": {"type": "string", "enum": reasons},
        "next_step": {"type": "string"},
    }
    reason = reasons[-1]
    return {
        "description": f"refused: {', '.join(reasons)}",
        "content": {
            _PROBLEM: {
                "schema": {
                    "type": "object",
                    "properties": members,
                    "required": list(members),
                    "additionalProperties": False,
                },
                "example": {
                    "type": f"urn:hearthlink:reason:{reason}",
                    "title": reason,
                    "status": status,
                    "detail": "what was expected, and where; never a value",
                    "reason": reason,
                    "next_step": "",
                },
            }
        },
    }


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


def _made(  # noqa: PLR0911 - one for each kind of schema
    schema: Mapping[str, Any], known: Mapping[str, Any], name: str
) -> Any:
    """A value that a JSON schema allows."""
    if "$ref" in schema:
        return _made(known[schema["$ref"].rsplit("/", 1)[1]], known, name)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for choice in schema.get("anyOf", schema.get("oneOf", ())):
        if choice.get("type") != "null":
            return _made(choice, known, name)
    kind = schema.get("type")
    if kind == "object":
        members = schema.get("properties", {}).items()
        return {key: _made(value, known, key) for key, value in members}
    if kind == "array":
        return [_made(schema["items"], known, name)] if "items" in schema else []
    if kind == "string":
        return _word(schema, name)
    numbers = {"integer": max(1, int(schema.get("minimum", 1))), "number": 0.5, "boolean": True}
    return numbers.get(str(kind))


def _word(schema: Mapping[str, Any], name: str) -> str:
    if "pattern" in schema:
        return _OF_PATTERN.get(schema["pattern"], name)
    if name in {"created", "finished", "received", "decided", "expires", "kept_until", "opened",
                "closes"}:  # fmt: skip
        return _TIME
    return _OF_NAME.get(name, name)
