"""A request that waits for a decision: everything that deciding it needs, then the lead's passkey.

Rules: members come from the hub and are those that the request names by hash; each rule is judged
by the functions that partners use (``oversight.judging``), and where one does not hold, or was not
judged, there is nothing to approve; what is signed names the request's exact bytes and the ledger
as this console has verified it; what comes back signed is about this request, by the keys of who is
signed in.
"""

from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from governance.canonical import Frozen, Hash, b64, canonical_bytes, write_time
from governance.consent.models import PERMITTING
from governance.console.access import signed_in
from governance.console.console import Console, Use
from governance.console.labels import Labels, labels_of, name_of, short_id, why
from governance.console.looking import looking
from governance.console.signing import own_passkey, read_signed
from governance.errors import FormatError
from governance.exchange.release_api import RequestView
from governance.identity.models import PersonKeys
from governance.oversight.judging import RuleName
from governance.oversight.requests import Dossier, dossier, waiting
from governance.release.errors import NotApproved
from governance.release.models import APPROVAL, Approval, CheckpointRef
from governance.ui.browser import signing_data
from governance.ui.forms import Form, asked, posted, read_form
from governance.ui.show import Cell, Link, show_date, show_time

router = APIRouter()


class Choice(StrEnum):
    """What a lead may decide, and why: ``decision.reason``."""

    APPROVE = "approve.proportionate"
    NOT_PROPORTIONATE = "decline.not_proportionate"
    TOO_MUCH = "decline.too_much"
    HARM = "decline.may_do_harm"
    HELPED = "decline.helped_already"
    UNCLEAR = "decline.unclear"


class DecisionForm(Frozen):
    """The decision."""

    decision: Choice


class Judged(NamedTuple):
    """A request with everything that deciding it needs.

    Attributes:
        view: as the hub has it.
        found: what the ledger says, and whether each rule holds.
        labels: what codes are called.
        lead: the keys of who decides.
        seen: the ledger's state in which all this was judged, which the decision names.
    """

    view: RequestView
    found: Dossier
    labels: Labels
    lead: PersonKeys
    seen: CheckpointRef


@router.get("/decide")
def requests(console: Use, request: Request) -> HTMLResponse:
    """Requests that nobody has decided, the one that expires first at the beginning."""
    words = console.pages.words
    with looking(console, request) as state:
        found = waiting(state, console.now(), console.settings.party)
        titles = {
            each.agreement: state.agreements.standing(each.agreement).agreement for each in found
        }
    lines: list[list[Cell]] = []
    for each in found:
        labels = labels_of(titles[each.agreement], words)
        lines.append(
            [
                Link(short_id(each.family), f"/decide/{each.request}"),
                name_of(labels, "parties", each.party),
                ", ".join(name_of(labels, "items", item) for item in each.items),
                words("decide.over") if each.expired else show_time(each.expires, words),
            ]
        )
    return console.page(request, "decide/requests.html", lines=lines)


@router.get("/decide/{request_hash}")
def one_request(console: Use, request: Request, request_hash: Hash) -> HTMLResponse:
    """Everything that deciding one request needs."""
    return _shown(console, request, request_hash, Form())


@router.get("/decide/{request_hash}/sign")
def sign(
    console: Use, request: Request, request_hash: Hash,
    fields: Annotated[FormData, Depends(asked)],
) -> HTMLResponse:  # fmt: skip
    """The decision as it would be signed."""
    form = read_form(fields, DecisionForm, console.pages.words, "decide.form.")
    if form.value is None:
        return _shown(console, request, request_hash, form, 422)
    judged = _judged(console, request, request_hash)
    choice = form.value.decision
    if choice not in _choices(judged.found):
        raise NotApproved(
            "this cannot be decided like that now", next_step="look at the request again"
        )
    decision, _, reason = choice.partition(".")
    approval = Approval.model_validate(
        {
            "request": request_hash,
            "decision": decision,
            "reason": reason,
            "checkpoint": judged.seen,
            "created": write_time(console.now()),
        }
    )
    data = signing_data(
        console.pages.words,
        APPROVAL,
        canonical_bytes(approval),
        own_passkey(judged.lead, "release approve"),
        named={
            "request": judged.view.request.payload_bytes,
            "members": canonical_bytes(judged.view.document),
        },
        labels=judged.labels,
    )
    return console.page(
        request, "decide/sign.html", data=data, request_hash=request_hash,
        approving=decision == "approve",
    )  # fmt: skip


@router.post("/decide/{request_hash}")
def decide(
    console: Use, request: Request, request_hash: Hash,
    fields: Annotated[FormData, Depends(posted)],
) -> Response:  # fmt: skip
    """Hands the signed decision to the hub."""
    own = signed_in(request).account
    keys = console.outside.enrolled_now(own).keys
    approval, envelope = read_signed(fields, APPROVAL, Approval, keys)
    if approval.request != request_hash:
        raise FormatError("the decision that came back is about another request")
    with console.outside.hub(own) as hub:
        hub.post_approval(request_hash, envelope)
    console.outside.refresh(own)
    return RedirectResponse(f"/decide/{request_hash}", 303)


def _judged(console: Console, request: Request, request_hash: str) -> Judged:
    """The request as the hub and the ledger have it.

    Raises:
        FormatError, MembersChanged: the hub shows another request, or other members.
        RequestNotLogged: the ledger holds no such request.
    """
    own = signed_in(request).account
    with console.outside.hub(own) as hub:
        view = hub.request(request_hash)
    if view.request.payload_hash != request_hash:
        raise FormatError("the hub showed another request than the one asked for")
    lead = console.outside.enrolled(own).keys
    with looking(console, request) as state:
        found = dossier(
            state, console.outside.ledger.mirror, request_hash, view.document, lead, console.now()
        )
        agreement = state.agreements.standing(found.agreement).agreement
        root = console.outside.ledger.mirror.root(state.size)
        seen = CheckpointRef(size=state.size, root=b64(root))
    words = console.pages.words
    labels = labels_of(agreement, words)
    reasons = {each.partition(".")[2]: words(f"decide.choice.{each}") for each in Choice}
    labels = {**labels, "reasons": reasons, "persons": _persons(console, found)}
    return Judged(view, found, labels, lead, seen)


def _persons(console: Console, found: Dossier) -> dict[str, str]:
    """Members by number: what a lead needs of them is whether they are of age."""
    words = console.pages.words
    return {
        member.person: words("decide.adult" if member.adult else "decide.child", number=number)
        for number, member in enumerate(found.members or (), 1)
    }


def _choices(found: Dossier) -> list[Choice]:
    """What may be decided now: nothing by who may not, no approval where a rule does not hold."""
    broken = {rule.rule for rule in found.rules if rule.reason}
    if found.decision or broken & {RuleName.ALIVE, RuleName.SECOND}:
        return []
    return [each for each in Choice if found.holds or each is not Choice.APPROVE]


def _shown(
    console: Console, request: Request, request_hash: str, form: Form[Any], status: int = 200
) -> HTMLResponse:
    judged = _judged(console, request, request_hash)
    found, labels = judged.found, judged.labels
    words = console.pages.words
    broken = [rule for rule in found.rules if rule.reason]
    return console.page(
        request,
        "decide/request.html",
        status=status,
        form=form,
        found=found,
        short=short_id,
        broken=[(words(f"decide.rule.{each.rule}"), why(words, each.reason)) for each in broken],
        rules=[
            [words(f"decide.rule.{each.rule}"),
             why(words, each.reason) if each.reason else words("oversight.yes")]
            for each in found.rules
        ],
        asked_for=_asked_for(console, found, labels),
        members=_members(console, found, labels),
        partners=_partners(console, found, labels),
        earlier=_earlier(console, found, labels),
        choices=[(each.value, words(f"decide.choice.{each}")) for each in _choices(found)],
    )  # fmt: skip


def _asked_for(console: Console, found: Dossier, labels: Labels) -> list[tuple[str, Cell]]:
    words = console.pages.words
    members = found.members or ()
    asked_about = sum(not each.left_out for each in members)
    people = words("requests.people.count", asked=asked_about, of=len(members))
    items = "; ".join(name_of(labels, "items", each) for each in found.items)
    agreement = Link(
        labels["agreements"][found.agreement], f"/oversight/agreements/{found.agreement}"
    )
    return [
        (words("decide.asker"), name_of(labels, "parties", found.party)),
        (words("requests.purpose"), name_of(labels, "purposes", found.purpose)),
        (words("decide.items"), items),
        (words("requests.people"), people),
        (words("requests.until"), show_time(found.expires, words)),
        (words("decide.agreement"), agreement),
        (words("agreement.dpia"), found.dpia),
        (words("decide.entry"), Link(str(found.entry), f"/oversight/ledger/{found.entry}")),
    ]


def _members(console: Console, found: Dossier, labels: Labels) -> list[list[Cell]]:
    words = console.pages.words
    lines: list[list[Cell]] = []
    for member in found.members or ():
        name = labels["persons"][member.person]
        shown = words("decide.left_out", name=name) if member.left_out else name
        for record in member.records:
            state = "erased" if record.erased else record.state or "none"
            stands = state in PERMITTING
            other = stands and not record.covers
            lines.append(
                [
                    shown,
                    name_of(labels, "parties", record.party),
                    name_of(labels, "sources", record.source),
                    words("decide.consent.other" if other else f"decide.consent.{state}"),
                    show_date(record.expires, words) if record.expires and stands else "",
                ]
            )
    return lines


def _partners(console: Console, found: Dossier, labels: Labels) -> list[list[Cell]]:
    words = console.pages.words
    lines: list[list[Cell]] = []
    for each in found.partners:
        rules = sorted({words(f"decide.opt_out.{rule}") for rule in each.opt_outs.values()})
        refusal = ""
        if each.refusal:
            key = "decide.refused.here" if each.refusal_here else "decide.refused.elsewhere"
            date = show_date(each.refusal_time, words)
            refusal = words(key, date=date, why=why(words, each.refusal))
        lines.append(
            [
                name_of(labels, "parties", each.party),
                words("decide.asked.yes" if each.asked else "decide.asked.no"),
                "; ".join(rules),
                refusal or words("decide.refused.never"),
            ]
        )
    return lines


def _earlier(console: Console, found: Dossier, labels: Labels) -> list[list[Cell]]:
    words = console.pages.words
    return [
        [
            show_date(each.time, words),
            words(f"decide.decided.{each.decision or 'none'}"),
            ", ".join(name_of(labels, "parties", party) for party in each.released),
            "; ".join(
                f"{name_of(labels, 'parties', party)}: {why(words, reason)}"
                for party, reason in each.refused.items()
            ),
            words(f"request.outcome.{each.outcome or 'none'}"),
        ]
        for each in found.earlier
    ]
