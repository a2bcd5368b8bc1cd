"""GOV.UK Frontend's components as functions for templates.

Rules: an option that a component does not take is an error (its macro would ignore it without a
word); what a page passes is checked against ``components.json``, which ``make assets`` takes from
GOV.UK Frontend itself. The macros live in an environment of their own, since they test options that
were left out, which the pages' strict environment forbids.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, cast

from jinja2 import ChainableUndefined, Environment, PackageLoader, PrefixLoader
from markupsafe import Markup

from governance.errors import ReasonedError

_FREE: Final = frozenset({"attributes"})
"""Options whose members are anybody's choice."""
_PARTS: Final = {"errorMessage": "error-message", "hint": "hint", "label": "label",
                 "fieldset": "fieldset", "legend": None, "button": None}  # fmt: skip
"""Options that are components themselves."""


class ComponentError(ReasonedError):
    """A page passes a component what it does not take."""

    reason = "ui.component"


def components() -> dict[str, Callable[..., Markup]]:
    """Every component by its macro's name, for example ``govukButton``."""
    return {_macro_name(name): _component(name) for name in _options()}


def _component(name: str) -> Callable[..., Markup]:
    def component(options: Mapping[str, Any] | None = None) -> Markup:
        options = options or {}
        check_options(name, options)
        return cast(Markup, _macro(name)(options))

    return component


def check_options(component: str, options: Mapping[str, Any]) -> None:
    """Check what a page passes to a component.

    Raises:
        ComponentError: an option, at any depth, that it does not take.
    """
    _check(component, options, _options()[component])


def _check(where: str, options: Mapping[str, Any], taken: Mapping[str, Any]) -> None:
    for key, value in options.items():
        if key not in taken:
            raise ComponentError(f"{where} takes no {key}")
        if key in _FREE:
            continue
        part = _PARTS.get(key)
        inner = taken[key] or (_options()[part] if part else None)
        if inner is not None:
            _check_each(f"{where}.{key}", value, inner)


def _check_each(where: str, value: Any, taken: Mapping[str, Any]) -> None:
    if isinstance(value, Mapping):
        _check(where, value, taken)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_each(where, item, taken)


@cache
def _options() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files("governance.ui") / "components.json").read_text())
    return found


@cache
def _macro(name: str) -> Callable[..., str]:
    template = _environment().get_template(f"govuk_frontend_jinja/components/{name}/macro.html")
    return cast(Callable[..., str], getattr(template.module, _macro_name(name)))


def _macro_name(component: str) -> str:
    return "govuk" + "".join(word.capitalize() for word in component.split("-"))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        autoescape=True,
        undefined=ChainableUndefined,
    )
