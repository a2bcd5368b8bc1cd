"""What each column is: the suggestion, the correction, and the mapping that commands use too.

What is prepared is what the page with the button has shown; what was changed since is shown first.
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from governance.agreements.errors import ItemNotListed
from governance.agreements.models import Agreement
from governance.canonical import sha256
from governance.errors import ReasonedError
from governance.ui.forms import Form
from partner_agent.app import Agent
from partner_agent.console.columns import (
    KINDS,
    NEED,
    ROLES,
    as_yaml,
    columns_of,
    form_can_say,
    keep_mapping,
    kept_mapping,
    of_text,
    plain,
    roles_of,
    suggested,
    whole,
    with_roles,
)
from partner_agent.console.drafts import Draft
from partner_agent.console.leaving import fates
from partner_agent.console.pages.entry import go
from partner_agent.console.pages.extracts import UNPROCESSABLE, Fields, Here, read_draft
from partner_agent.console.pages.work import to_work
from partner_agent.console.rules import is_set, rules_of, with_rules
from partner_agent.console.state import Console, standing_here
from partner_agent.console.tasks import Task
from partner_agent.extracts.errors import MappingError
from partner_agent.extracts.mapping import SourceMapping
from partner_agent.steps.extracts import agreed_only, may_prepare, prepare_file
from partner_agent.submissions.prepare import check_permitted

COLUMNS_MOST: Final = 300  # that a form asks about; more are mapped as text
router = APIRouter(prefix="/extracts/{draft}", include_in_schema=False)


@router.get("/columns")
def columns(request: Request, console: Here, draft: str) -> Response:
    """What each column is."""
    found = read_draft(console, draft)
    data = _begun(console, found)
    if not form_can_say(data) or len(_names(found)) > COLUMNS_MOST:
        return _ask_text(request, console, found, as_yaml(data), "")
    return _ask_columns(request, console, found, data, Form(values=_entered(found, data)))


@router.post("/columns")
def choose_columns(request: Request, console: Here, draft: str, fields: Fields) -> Response:
    """Keep what was chosen, and ask what is left."""
    found = read_draft(console, draft)
    names = _names(found)
    values = {f"c{at}": str(fields.get(f"c{at}", "")) for at in range(len(names))}
    allowed = {"", *ROLES, *(NEED + each for each in _needs(console, found))}
    chosen = [
        (name, role if role in allowed else "")
        for name, role in zip(names, values.values(), strict=True)
    ]
    words, before = console.pages.words, _begun(console, found)
    if not form_can_say(before):  # typed as text since the page was shown, which would drop it
        return _ask_text(request, console, found, as_yaml(before), words("agent.columns.changed"))
    data, faults = with_roles(before, chosen)
    errors = {
        f"c{at}": f"{name}: {words(faults[name])}"
        for at, name in enumerate(names)
        if name in faults
    }
    if not errors:
        errors = _unlinkable(console, data)
    if errors:
        form: Form[Any] = Form(values=values, errors=errors)
        return _ask_columns(request, console, found, data, form)
    console.drafts.change(found.id, mapping=data)
    return go(request, f"/extracts/{found.id}/rules")


def _unlinkable(console: Console, data: dict[str, Any]) -> dict[str, str]:
    """What is wrong with the columns as a whole; rules are asked for on the next page."""
    try:
        whole(
            {**data, "indicators": {}} | dict.fromkeys(("opt_out", "protected")), columns_of(data)
        )
    except MappingError as error:
        return {"c0": console.pages.words("agent.columns.unlinkable", why=error.message)}
    return {}


def _ask_columns(
    request: Request, console: Console, draft: Draft, data: dict[str, Any], form: Form[Any]
) -> Response:
    return console.pages.page(
        request,
        "console/columns.html",
        status=UNPROCESSABLE if form.errors else 200,
        draft=draft,
        profile=draft.profile,
        roles=ROLES,
        needs=_needs(console, draft),
        need=NEED,
        mentions=len(data.get("mentions", ())),
        form=form,
    )


@router.get("/rules")
def rules(request: Request, console: Here, draft: str) -> Response:
    """How dates and names are written, and when a need is met."""
    found = read_draft(console, draft)
    data = _begun(console, found)
    values = {
        "day_first": "no" if is_set(data, "dates", "day_first") == "false" else "yes",
        "surname_first": "yes" if "surname" in is_set(data, "names", "full_name_order") else "no",
        "nicknames": "yes" if is_set(data, "names", "expand_nicknames") == "true" else "no",
    }
    for rule in rules_of(data):
        values |= {
            f"{rule.name}-kind": rule.kind,
            f"{rule.name}-value": rule.value,
            f"{rule.name}-clear": rule.clear,
        }
    return _ask_rules(request, console, found, data, Form(values=values))


@router.post("/rules")
def choose_rules(request: Request, console: Here, draft: str, fields: Fields) -> Response:
    """Keep the answers, and show what will become of it all."""
    found = read_draft(console, draft)
    answers = {name: str(value) for name, value in fields.items()}
    data, faults = with_rules(_begun(console, found), answers)
    errors = {field: console.pages.words(key) for field, key in faults.items()}
    if errors:
        form: Form[Any] = Form(values=answers, errors=errors)
        return _ask_rules(request, console, found, data, form)
    console.drafts.change(found.id, mapping=data)
    return go(request, f"/extracts/{found.id}/check")


def _ask_rules(
    request: Request, console: Console, draft: Draft, data: dict[str, Any], form: Form[Any]
) -> Response:
    return console.pages.page(
        request,
        "console/rules.html",
        status=UNPROCESSABLE if form.errors else 200,
        draft=draft,
        rules=rules_of(data),
        kinds=KINDS,
        needs=_needs(console, draft),
        full_name="full_name" in data.get("columns", {}),
        form=form,
    )


@router.get("/text")
def text(request: Request, console: Here, draft: str) -> Response:
    """The mapping as text, for what the form cannot say."""
    found = read_draft(console, draft)
    return _ask_text(request, console, found, as_yaml(_begun(console, found)), "")


@router.post("/text")
def take_text(request: Request, console: Here, draft: str, fields: Fields) -> Response:
    """Check and keep a mapping that was typed."""
    found = read_draft(console, draft)
    typed = str(fields.get("mapping", ""))
    try:
        data = of_text(typed, found.source)
        whole(data, _names(found))
    except MappingError as error:
        return _ask_text(request, console, found, typed, error.message)
    console.drafts.change(found.id, mapping=data)
    return go(request, f"/extracts/{found.id}/check")


def _ask_text(request: Request, console: Console, draft: Draft, typed: str, wrong: str) -> Response:
    form: Form[Any] = Form(
        values={"mapping": typed}, errors={"mapping": wrong[0].upper() + wrong[1:]} if wrong else {}
    )
    return console.pages.page(
        request,
        "console/mapping_text.html",
        status=UNPROCESSABLE if wrong else 200,
        draft=draft,
        names=_names(draft),
        form=form,
    )


@router.get("/check")
def check(request: Request, console: Here, draft: str) -> Response:
    """What will leave and what will stay, before anything is done."""
    return _check(request, console, read_draft(console, draft))


@router.post("/check")
def prepare(request: Request, console: Here, draft: str, fields: Fields) -> Response:
    """Keep the mapping for commands and the next extract, and prepare this one."""
    found = read_draft(console, draft)
    data = _begun(console, found)
    if fields.get("shown") != _name(data):
        return go(request, f"/extracts/{found.id}/check")
    with console.agent() as agent:
        standing = standing_here(agent)
        mapping = whole(data, _names(found))
        if fields.get("only_agreed"):
            mapping = agreed_only(standing, mapping)
            console.drafts.change(found.id, mapping=plain(mapping))
            return go(request, f"/extracts/{found.id}/check")
        check_permitted(standing, agent.settings.party, mapping, agent.now())
    keep_mapping(console.home, mapping)
    return to_work(request, _prepare(console, found, mapping))


def _name(data: dict[str, Any]) -> str:
    """Stands for a mapping in a page's form."""
    return sha256(as_yaml(data).encode())


def _check(request: Request, console: Console, draft: Draft) -> Response:
    data = _begun(console, draft)
    problem: ReasonedError | None = None
    with console.agent() as agent:
        standing = standing_here(agent)
        try:
            mapping = whole(data, _names(draft))
            check_permitted(standing, agent.settings.party, mapping, agent.now())
        except ReasonedError as error:
            problem = error
    quality = standing.agreement.quality
    return console.pages.page(
        request,
        "console/check.html",
        draft=draft,
        shown=_name(data),
        profile=draft.profile,
        fates=fates(data, _names(draft), () if quality is None else quality.groups),
        needs=_needs(console, draft),
        problem=problem,
        not_listed=isinstance(problem, ItemNotListed),
    )


def _prepare(console: Console, draft: Draft, mapping: SourceMapping) -> Task:
    rows = draft.profile.rows if draft.profile else None

    def work(agent: Agent, task: Task) -> None:
        standing = may_prepare(agent, [mapping])
        prepare_file(
            agent,
            standing,
            console.drafts.file(draft),
            mapping,
            progress=lambda read: task.progress(read, rows),
        )
        console.drafts.destroy(draft.id)

    return console.tasks.start(
        "prepare",
        work,
        then=f"/sources/{mapping.source}",
        back=f"/extracts/{draft.id}/check",
        unit="rows",
        once=f"{draft.id} {mapping.model_dump_json()}",
    )


def _begun(console: Console, draft: Draft) -> dict[str, Any]:
    """The mapping as far as it is: chosen on these pages, used the last time, or suggested."""
    if draft.mapping is not None:
        return draft.mapping
    names = _names(draft)
    kept = kept_mapping(console.home, draft.source)
    if kept is not None and set(columns_of(kept)) <= set(names):
        return kept
    return suggested(draft.profile.mapping_yaml if draft.profile else "", draft.source)


def _names(draft: Draft) -> list[str]:
    return [] if draft.profile is None else [column.name for column in draft.profile.columns]


def _entered(draft: Draft, data: dict[str, Any]) -> dict[str, str]:
    roles = roles_of(data)
    return {f"c{at}": roles.get(name, "") for at, name in enumerate(_names(draft))}


def _needs(console: Console, draft: Draft) -> dict[str, str]:
    """The needs that the agreement lists for the draft's source: id to description."""
    with console.agent() as agent:
        agreement: Agreement = standing_here(agent).agreement
    source = agreement.source(draft.source)
    listed = () if source is None else source.indicators
    return {each.id: each.description for each in agreement.indicators if each.id in listed}
