"""Makes pages of templates: one environment, one catalogue, one layout.

Rules: whatever is put into a page is escaped; a name that a template misspells, an option that a
component does not take and a word that is not there are errors; every address of a page is below
the application's root path. A template is named by the last part of its package, for example
``people/invite.html`` of ``governance.console.pages.people``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from governance.ui.components import components
from governance.ui.forms import CSRF_FIELD, Form, choice_field, text_field
from governance.ui.show import (
    Cell,
    Link,
    Slice,
    show_cell,
    show_date,
    show_fingerprint,
    show_id,
    show_summary,
    show_table,
    show_time,
)
from governance.ui.static_files import asset_path
from governance.ui.words import Words

_UI: Final = "governance.ui"


@dataclass(frozen=True)
class Frame:
    """What stands around a page's content.

    Attributes:
        navigation: the pages that whoever is signed in may open.
        who: by which label they are signed in; empty for nobody.
        own: their own pages, beside the label.
        sign_out: where the button that signs out posts to.
        csrf: the token of every form of this session.
    """

    navigation: Sequence[Link] = ()
    who: str = ""
    own: Sequence[Link] = ()
    sign_out: str = ""
    csrf: str = ""


class Pages:
    """The pages of one console.

    Args:
        packages: dotted names of the packages that have ``templates`` and ``words``.
        service: key of the console's name.
        language: of the words.
        frame: what stands around the content, for a request.
    """

    def __init__(
        self,
        packages: Sequence[str],
        *,
        service: str,
        frame: Callable[[Request], Frame],
        language: str = "en",
    ) -> None:
        packages = [_UI, *packages]
        self.words = Words(packages, language)
        self._service = service
        self._frame = frame
        self._environment = _environment(packages, self.words)

    def load(self) -> None:
        """Compile every template, which otherwise the first visit of each page waits for."""
        for name in self._environment.list_templates(["html"]):
            self._environment.get_template(name)

    def page(
        self, request: Request, template: str, *, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """An answer made of a template.

        Args:
            request: what it answers.
            template: ``PACKAGE/NAME.html``.
            status: of the answer; a form that comes back with errors has 422.
            values: what the template names.
        """
        return HTMLResponse(self._text(request, template, self._frame(request), values), status)

    def bare(
        self, request: Request, template: str, *, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """The same for a request of which nothing is known, not even who made it."""
        return HTMLResponse(self._text(request, template, Frame(), values), status)

    def _text(
        self, request: Request, template: str, frame: Frame, values: Mapping[str, Any]
    ) -> str:
        return self._environment.get_template(template).render(
            service=self.words(self._service),
            frame=frame,
            nonce=request.state.nonce,
            path=request.url.path.removeprefix(request.scope.get("root_path", "")),
            root=request.scope.get("root_path", ""),
            **values,
        )


def _environment(packages: Sequence[str], words: Words) -> Environment:
    environment = Environment(
        loader=PrefixLoader({each.rpartition(".")[2]: PackageLoader(each) for each in packages}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= components()
    environment.globals |= {
        "t": words,
        "language": words.language,
        "text_field": text_field,
        "choice_field": choice_field,
        "Form": Form,
        "url": _url,
        "asset": _asset,
        "script": _script,
        "csrf_field": _csrf_field,
        "show": _show,
        "link": Link,
        "table": _table,
        "summary": _summary,
        "pages_of": _pages_of,
        "id": show_id,
        "fingerprint": show_fingerprint,
        "error_summary": _error_summary,
    }
    environment.filters |= {
        "date": lambda day: show_date(day, words),
        "time": lambda moment: show_time(moment, words),
        "number": lambda count: f"{count:,}",
    }
    return environment


@pass_context
def _url(context: Context, path: str, **query: object) -> str:
    """The address of a page below the root, with a query of what is not None."""
    given = {key: value for key, value in query.items() if value is not None}
    link = Link("", path).href + (f"?{urlencode(given)}" if given else "")
    return f"{context['root']}{link}"


@pass_context
def _asset(context: Context, name: str) -> str:
    return f"{context['root']}{asset_path(name)}"


@pass_context
def _script(context: Context, name: str) -> Markup:
    return Markup('<script type="module" src="{}" nonce="{}"></script>').format(
        f"{context['root']}{asset_path(name)}", context["nonce"]
    )


@pass_context
def _csrf_field(context: Context) -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(
        CSRF_FIELD, context["frame"].csrf
    )


@pass_context
def _show(context: Context, cell: Cell) -> Markup:
    return show_cell(cell, context["root"])


@pass_context
def _table(
    context: Context,
    caption: str,
    head: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    numeric: Sequence[int] = (),
    quiet: bool = False,
) -> Markup:
    return show_table(caption, head, rows, numeric=numeric, quiet=quiet, root=context["root"])


@pass_context
def _summary(context: Context, items: Sequence[tuple[str, Cell]]) -> Markup:
    return show_summary(items, context["root"])


@pass_context
def _pages_of(context: Context, part: Slice, path: str, **query: object) -> Markup:
    """Links to the pages of a long list; nothing where there is one page only."""
    if part.pages == 1:
        return Markup("")

    def href(number: int) -> str:
        return _url(context, path, **query, page=number)

    words: Words = context["t"]
    shown = sorted(
        {1, part.number - 1, part.number, part.number + 1, part.pages}
        & set(range(1, part.pages + 1))
    )
    items: list[dict[str, Any]] = []
    for number in shown:
        if items and number - int(items[-1]["number"]) > 1:
            items.append({"ellipsis": True, "number": number - 1})
        items.append({"number": number, "current": number == part.number, "href": href(number),
                      "visuallyHiddenText": words("ui.page", number=number)})  # fmt: skip
    options: dict[str, Any] = {
        "landmarkLabel": words("ui.pages"),
        "items": [{"ellipsis": True} if "ellipsis" in item else item for item in items],
    }
    if part.number > 1:
        options["previous"] = {"href": href(part.number - 1), "text": words("ui.previous")}
    if part.number < part.pages:
        options["next"] = {"href": href(part.number + 1), "text": words("ui.next")}
    component: Callable[[Any], Markup] = context["govukPagination"]
    return component(options)


@pass_context
def _error_summary(context: Context, form: Form[Any]) -> Markup:
    """What is wrong with a form, above it, each with a link to its field; nothing where all is."""
    if not form.errors:
        return Markup("")
    component: Callable[[Any], Markup] = context["govukErrorSummary"]
    return component(
        {
            "titleText": context["t"]("ui.error_summary"),
            "errorList": [
                {"text": message, "href": f"#{name}"} for name, message in form.errors.items()
            ],
        }
    )
