"""An agreement says what it looks like before anybody signs it."""

from typing import Any

import pytest

from governance.agreements.models import Agreement
from governance.agreements.signing import require_plain_text
from governance.errors import FormatError
from tests.governance.world import Party, agreement_data


def data() -> dict[str, Any]:
    """An agreement of two parties."""
    return agreement_data([Party(name) for name in ("police", "council")])


def test_plain_texts_may_have_lines_and_letters_of_all_kinds() -> None:
    """What people write."""
    found = data()
    found["title"] = "Troubled Families, Brân & Öffentlich"
    found["purposes"][0]["description"] = "offer help\n\nto families"
    require_plain_text(Agreement.model_validate(found))


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\u2066", "\u00ad", "\t", "\r", "\x1b"])
def test_what_does_not_show_is_refused_and_its_place_told(hidden: str) -> None:
    """In a title, in a name, and deep inside; the message has the place and never the text."""
    for place in ("title", "parties.1.name", "purposes.0.description"):
        found = data()
        *path, last = place.split(".")
        target: Any = found
        for step in path:
            target = target[int(step) if step.isdigit() else step]
        target[last] = f"fa{hidden}ir"
        with pytest.raises(FormatError, match=place) as refused:
            require_plain_text(Agreement.model_validate(found))
        assert str(refused.value).isprintable()
