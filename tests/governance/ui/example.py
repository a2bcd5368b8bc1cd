"""A small console of pages that show everything the kit has."""

from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import DictLoader, PrefixLoader
from pydantic import Field
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.routing import Mount
from starlette.types import ASGIApp

from governance.canonical import Frozen
from governance.errors import FormatError
from governance.ui.forms import Form, posted, read_form
from governance.ui.pages import Frame, Pages
from governance.ui.problems import add_problem_pages, status_page
from governance.ui.security import Guard
from governance.ui.show import Link, Slice
from governance.ui.static_files import static_routes

START = """{% extends "ui/page.html" %}
{% block title %}Families & needs{% endblock %}
{% block width %}govuk-grid-column-full{% endblock %}
{% block content %}
{{ table("Families", ["Family", "Needs", "Seen"], rows, numeric=[1]) }}
{{ summary([("Area", "North <b>"), ("Seen", "2026-06-28T20:41:00Z" | time)]) }}
{{ pages_of(part, "/", needs=2) }}
{% endblock %}"""
FORM = """{% extends "ui/page.html" %}
{% block title %}Ask a colleague{% endblock %}
{% block before %}{{ govukBackLink({"text": "Back", "href": url("/")}) }}{% endblock %}
{% block content %}
<form method="post" novalidate>
{{ csrf_field() }}
{{ govukInput(text_field(form, "label", {"label": {"text": "Name on pages"}})) }}
{{ govukRadios(choice_field(form, "role", {
    "fieldset": {"legend": {"text": "Role"}},
    "items": [{"value": "ig_lead", "text": "Lead"}, {"value": "analyst", "text": "Analyst"}]})) }}
{{ govukButton({"text": "Continue"}) }}
</form>
{% endblock %}"""


class Invite(Frozen):
    """What the form asks for."""

    label: Annotated[str, Field(max_length=20)]
    role: Literal["ig_lead", "analyst"]


def example(origin: str, root: str = "") -> ASGIApp:
    """The console, at an origin and below a root path where one is given."""
    frame = Frame(
        (Link("Families", "/"), Link("Ask", "/ask")), who="Sam", sign_out="/out", csrf="token"
    )
    pages = Pages([], service="ui.pages", frame=lambda _request: frame)
    loader = pages._environment.loader
    assert isinstance(loader, PrefixLoader)
    pages._environment.loader = PrefixLoader(
        {**loader.mapping, "example": DictLoader({"start.html": START, "form.html": FORM})}
    )
    pages.words._words |= {f"ask.{name}": f"Enter the {name}" for name in ("label", "role")}
    pages.words._words["ask.label.string_too_long"] = "Enter a label of at most 20 characters"
    app = FastAPI(openapi_url=None)
    add_problem_pages(app, pages, {FormatError: 422})
    app.include_router(static_routes())

    @app.get("/")
    def start(request: Request) -> HTMLResponse:
        rows = [[Link(f"{number:08x}" * 4, f"/families/{number}"), 1_234, "28 November 2026"]
                for number in range(3)]  # fmt: skip
        return pages.page(request, "example/start.html", rows=rows, part=Slice(5, 10, 95))

    @app.get("/ask")
    def ask(request: Request) -> HTMLResponse:
        return pages.page(request, "example/form.html", form=Form())

    @app.post("/ask")
    def asked(request: Request, fields: Annotated[FormData, Depends(posted)]) -> HTMLResponse:
        form = read_form(fields, Invite, pages.words, "ask.")
        return pages.page(
            request, "example/form.html", form=form, status=422 if form.errors else 200
        )

    @app.get("/refused")
    def refused() -> None:
        raise FormatError("a <script> was expected", next_step="look again")

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("Jane Doe")

    mounted = Starlette(routes=[Mount(root, app)]) if root else app
    return Guard(mounted, origin, lambda request, status: status_page(pages, request, status))
