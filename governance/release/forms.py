"""Forms that a service manager prints, filled in from a release that was opened on this computer.

Rules: names are put in here, where the release was opened, and nowhere else (in the console by the
page that opened it, ``assets/scripts/lib/forms.js``, in the same words); a page needs no script, no
other file and no network; what the file does not say is a line to write on; a family
that is not the one released is refused; a need that nobody knows about is printed as unknown, with
room to say what it is.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from pydantic import ValidationError

from governance.canonical import Frozen, Hash, Slug
from governance.errors import FormatError
from governance.exchange.release_api import FamilyView, NeedView
from governance.pages import page_template
from governance.release.errors import MembersChanged
from governance.release.models import ReleasedRecord
from governance.ui.words import Words

Form = Literal["nomination", "combined", "closure"]
FORMS: Final[tuple[Form, ...]] = ("nomination", "combined", "closure")
OUTCOMES: Final = ("helped", "declined", "wrong_family", "not_needed")
"""As ``governance release outcome`` takes them."""


class OpenedFile(Frozen):
    """What ``governance release open --out`` writes."""

    request: Hash
    parties: tuple[Slug, ...]
    left_out: dict[str, str]
    records: tuple[ReleasedRecord, ...]


class HeldNeed(NamedTuple):
    """A need as a form shows it: what it is called, and what services hold."""

    name: str
    held: str


class Person(NamedTuple):
    """One member, with what each source has released."""

    number: int
    role: str
    age_band: str
    records: Sequence[ReleasedRecord]


def read_opened(data: bytes) -> OpenedFile:
    """A file of opened details; no value of it is in an error.

    Raises:
        FormatError: it is none.
    """
    try:
        return OpenedFile.model_validate_json(data)
    except ValidationError as error:
        raise FormatError(
            f"not a file that release open has written ({error.error_count()} faults)",
            next_step="governance release open REQUEST --out FILE",
        ) from None


def read_family(data: bytes) -> FamilyView:
    """A family as ``governance --json release show`` prints it.

    Raises:
        FormatError: it is none.
    """
    try:
        return FamilyView.model_validate_json(data)
    except ValidationError as error:
        raise FormatError(
            f"not a family ({error.error_count()} faults)",
            next_step="governance --json release show FAMILY > family.json",
        ) from None


def render(form: Form, opened: OpenedFile, family: FamilyView | None) -> str:
    """The page.

    Raises:
        MembersChanged: a record of somebody who is not of the family.
    """
    if family is not None:
        members = {member.person for member in family.members}
        if not {record.person for record in opened.records} <= members:
            raise MembersChanged(
                "what was opened is of people who are not of this family now",
                next_step="show the family that the request was about",
            )
    t = Words(["governance.ui"])
    return page_template("governance.release", "form.html", words=_words).render(
        t=t,
        form=form,
        title=t(f"keys.form.title.{form}"),
        opened=opened,
        people=_people(opened, family),
        items=list(dict.fromkeys(item for record in opened.records for item in record.items)),
        needs=() if family is None else held_needs(family.needs, t),
        family=family,
        outcomes=OUTCOMES,
    )


def _people(opened: OpenedFile, family: FamilyView | None) -> list[Person]:
    views = {} if family is None else {member.person: member for member in family.members}
    names = dict.fromkeys(record.person for record in opened.records)
    return [
        Person(
            number,
            views[name].role if name in views else "",
            _band(views[name].age_band) if name in views else "",
            [record for record in opened.records if record.person == name],
        )
        for number, name in enumerate(names, 1)
    ]


def _band(code: str | None) -> str:
    """``25 to 44`` of ``25_44``."""
    low, _, high = (code or "").partition("_")
    return f"{low} to {high}" if low.isdecimal() and high.isdecimal() else _words(code or "")


def held_needs(
    needs: Sequence[NeedView], t: Words, names: Mapping[str, str] | None = None
) -> list[HeldNeed]:
    """Needs as a form shows them: met, unknown, unmet.

    Args:
        needs: of the family.
        t: the catalogue.
        names: what they are called; else their codes as words.
    """
    order = {"met": 0, "unknown": 1, "unmet": 2}
    return [
        HeldNeed(
            (names or {}).get(need.id) or _words(need.id).capitalize(),
            t(f"keys.form.held.{need.state}", count=need.sources),
        )
        for need in sorted(needs, key=lambda need: (order[need.state], need.id))
    ]


def _words(code: str) -> str:
    return code.replace("_", " ")
