"""Parts that these pages share."""

from markupsafe import Markup


def tag(text: str, colour: str = "blue") -> Markup:
    """A coloured tag; what it says is in its words, not in its colour."""
    return Markup('<strong class="govuk-tag govuk-tag--{}">{}</strong>').format(colour, text)
