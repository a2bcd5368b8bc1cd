"""What an organisation writes itself for its record, since no program can know it.

Rules: nothing has a default; what is left out stays missing in the record, and is never filled with
words that sound right. People are named by their posts.
"""

from typing import Annotated, Literal

from pydantic import Field

from governance.canonical import Frozen, Slug
from governance.transparency.models import Phase, Said


class Supplier(Frozen):
    """A supplier from outside.

    Attributes:
        party: its id in the agreement, where it is named there.
    """

    supplier: Said
    party: Slug | None = None
    companies_house_number: Said | None = None
    role: Said | None = None
    procurement: Said | None = None
    data_access: Said | None = None


class Written(Frozen):
    """An organisation's own words (``transparency/v1``).

    Attributes:
        organisation: its id in the agreement.
        contact_email: for questions about the tool; people's rights go to the agreement's contacts.
        suppliers: an empty list says that nobody from outside is involved.
        equality: the equality impact assessment; ``dpia_link``: where the DPIA can be read.
        completeness, collection: by source id of the agreement.
    """

    format: Literal["transparency/v1"]
    organisation: Slug
    website_url: Said | None = None
    contact_email: Annotated[str, Field(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$")] | None = None
    team: Said | None = None
    senior_responsible_owner: Said | None = None
    suppliers: tuple[Supplier, ...] | None = None
    benefit: Said | None = None
    previous_process: Said | None = None
    alternatives: Said | None = None
    frequency: Said | None = None
    required_training: Said | None = None
    phase: Phase | None = None
    maintenance: Said | None = None
    dpia_link: Said | None = None
    equality: Said | None = None
    risks: Said | None = None
    completeness: dict[Slug, Said] = Field(default_factory=dict)
    collection: dict[Slug, Said] = Field(default_factory=dict)
