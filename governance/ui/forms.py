"""Forms: what was entered, as a typed value or with what is wrong in it.

Rules: fields are read by a model and no other counts; spaces around what was typed mean nothing,
and an empty field is one that was left out; what is wrong is said in the catalogue's words, in the
summary and beside the field, and what was entered stands there still.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, NamedTuple, TypeVar, get_origin

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile

from governance.ui.words import Words

CSRF_FIELD: Final = "csrf"
MAX_FIELDS: Final = 500
_MANY: Final = (list, tuple, set, frozenset)
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class Form(Generic[_Model]):
    """A form as it is shown: empty, or as it came back.

    Attributes:
        values: what was entered; a tuple where a field takes several.
        errors: what is wrong, by field, in the order of the form.
        value: the whole, when nothing is wrong and something was entered.
    """

    values: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    value: _Model | None = None

    def wrong(self, name: str, message: str) -> "Form[_Model]":
        """The same with one more error, found after reading, for example against the ledger."""
        return replace(self, errors={**self.errors, name: message}, value=None)


async def posted(request: Request) -> FormData:
    """The fields of a request's form, as a dependency of a view; files are not taken."""
    return await request.form(max_files=0, max_fields=MAX_FIELDS)


class WithFile(NamedTuple):
    """A form that holds one file, of no more bytes than a request may have.

    Attributes:
        file: what was chosen as ``file``; nothing where nothing was.
    """

    fields: FormData
    file: bytes


async def posted_with_file(request: Request) -> WithFile:
    """Such a form, likewise; read once, in memory, and closed."""
    found: WithFile | None = getattr(request.state, "with_file", None)
    if found is None:
        async with request.form(max_files=1, max_fields=MAX_FIELDS) as fields:
            file = fields.get("file")
            data = await file.read() if isinstance(file, UploadFile) else b""
        found = request.state.with_file = WithFile(fields, data)
    return found


def asked(request: Request) -> FormData:
    """The fields of a form that was sent by its address (``method="get"``)."""
    return FormData([(name, text) for name, text in request.query_params.multi_items()])


def read_form(fields: FormData, model: type[_Model], words: Words, prefix: str) -> Form[_Model]:
    """Read a form by a model.

    Args:
        fields: as they came.
        model: its fields are the form's, in the page's order.
        words: hold what to say.
        prefix: of the keys of what to say, with a dot at its end: ``prefix + field`` is the message
            of a field, ``prefix + field + "." + kind`` that of one kind of error (pydantic's, for
            example ``missing`` or ``string_too_long``) where it needs another.
    """
    values = _entered(fields, model)
    try:
        return Form(values=values, value=model.model_validate(values))
    except ValidationError as error:
        kinds = {
            str((item["loc"] or ("form",))[0]): item["type"] for item in reversed(error.errors())
        }
    names = [*model.model_fields, "form"]
    return Form(
        values=values,
        errors={
            name: _message(words, prefix + name, kinds[name]) for name in names if name in kinds
        },
    )


def _entered(fields: FormData, model: type[BaseModel]) -> dict[str, str | tuple[str, ...]]:
    found: dict[str, str | tuple[str, ...]] = {}
    for name, described in model.model_fields.items():
        texts = tuple(
            text.strip() for text in fields.getlist(name) if isinstance(text, str) and text.strip()
        )
        if get_origin(described.annotation) in _MANY:
            found[name] = texts
        elif texts:
            found[name] = texts[-1]
    return found


def _message(words: Words, key: str, kind: str) -> str:
    special = f"{key}.{kind}"
    return words(special if special in words else key)


def text_field(form: Form[Any], name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of an input, textarea or select, with what was entered and what is wrong with it."""
    return {
        "id": name,
        "name": name,
        "value": form.values.get(name, ""),
        **_wrong(form, name),
        **options,
    }


def choice_field(form: Form[Any], name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of radios (``value``) or checkboxes (``values``), likewise."""
    entered = form.values.get(name, "")
    chosen: dict[str, Any] = (
        {"values": list(entered)} if isinstance(entered, tuple) else {"value": entered}
    )
    return {"idPrefix": name, "name": name, **chosen, **_wrong(form, name), **options}


def _wrong(form: Form[Any], name: str) -> dict[str, Any]:
    message = form.errors.get(name)
    return {"errorMessage": {"text": message}} if message else {}
