"""Forms, data blocks and files, as somebody who means harm would fill and read them."""

import json
import re
from typing import Annotated, Final

from pydantic import Field
from starlette.datastructures import FormData

from governance.canonical import Frozen
from governance.identity.models import Role
from governance.ui.forms import Form, read_form
from governance.ui.pages import Frame, Pages
from governance.ui.static_files import _files

PAGES: Final = Pages([], service="ui.pages", frame=lambda _: Frame())
FORM: Final = (
    "{% from 'ui/keys.html' import signing_form with context %}{{ signing_form('/signed', data) }}"
)


class Invitation(Frozen):
    """A form with a field of each kind."""

    role: Role
    hours: Annotated[int, Field(ge=1, le=24)] = 12
    items: tuple[str, ...] = ()


def read(*fields: tuple[str, str]) -> Form[Invitation]:
    """What a form with these fields is read as."""
    PAGES.words._words |= {f"test.{name}": "wrong" for name in Invitation.model_fields}
    return read_form(FormData(list(fields)), Invitation, PAGES.words, "test.")


def test_only_fields_of_the_model_count() -> None:
    """What a page did not ask for changes nothing; another type or a number too large is wrong."""
    found = read(("role", "analyst"), ("account", "0" * 32), ("closed", ""), ("hours__le", "99"))
    assert found.value == Invitation(role=Role.ANALYST)
    assert set(found.values) == {"role", "items"}
    assert set(read(("role", "root"), ("hours", "25")).errors) == {"role", "hours"}
    assert set(read(("role", "analyst"), ("hours", "1e1x")).errors) == {"hours"}


def test_the_last_of_a_repeated_field_counts() -> None:
    """One value for one question, whichever way a proxy would read it; lists keep their order."""
    found = read(("role", "analyst"), ("role", "ig_lead"), ("items", "a"), ("items", "b"))
    assert found.value == Invitation(role=Role.IG_LEAD, items=("a", "b"))


def test_data_in_a_page_stay_data() -> None:
    """A name that ends the script's block, or opens a comment in it, is in it as text."""
    data = {"payload": "", "name": "</script><script>alert(1)</script><!-- ' & \u2028"}
    text = PAGES._environment.from_string(FORM).render(data=data, root="", frame=Frame())
    (block,) = re.findall(r'<script type="application/json">(.*?)</script>', text, re.DOTALL)
    assert "<" not in block
    assert json.loads(block) == data


def test_every_built_file_says_what_it_is() -> None:
    """With the character set of its bytes, which are of that set."""
    kinds = {file.kind for file in _files().values()}
    assert kinds == {
        "text/css; charset=utf-8", "text/javascript; charset=utf-8", "image/svg+xml; charset=utf-8",
    }  # fmt: skip
    for file in _files().values():
        assert file.content.decode("utf-8")
