"""The Algorithmic Transparency Record, as a document that can be kept, compared and published.

Rules: every field of the standard is there, under its number and in its order; what nobody has said
is None and counts as missing, never as "none"; it holds what was agreed, how the program works and
what the organisation writes, and nothing that was counted among people.

Source: Algorithmic Transparency Recording Standard, version 3.0 (Government Digital Service). The
metadata that gov.uk adds to a record when it publishes one are left out.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from governance.agreements.models import IsoDate
from governance.canonical import Frozen, Hash, Slug

STANDARD = "3.0"
Said = Annotated[str, StringConstraints(min_length=1, max_length=20_000, strip_whitespace=True)]
Phase = Literal["idea", "design", "development", "beta/pilot", "production", "retired"]


class Section(Frozen):
    """One part of the record: fields by their titles in the standard."""

    def lines(self) -> Iterator[tuple[str, str | None]]:
        """Title and text of each field, in order; None where nobody has said."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            yield str(field.title), None if value is None else str(value)


class Overview(Section):
    """Tier 1: for everybody."""

    name: Said | None = Field(title="1.1 Name")
    description: Said | None = Field(title="1.2 Description")
    website_url: Said | None = Field(title="1.3 Website URL")
    contact_email: Said | None = Field(title="1.4 Contact email")


class ThirdParty(Section):
    """A supplier from outside, and what it may see."""

    supplier: Said = Field(title="2.1.4.1 External supplier")
    companies_house_number: Said | None = Field(title="2.1.4.2 Companies House number")
    role: Said | None = Field(title="2.1.4.3 External supplier role")
    procurement: Said | None = Field(title="2.1.4.4 Procurement procedure type")
    data_access: Said | None = Field(title="2.1.4.5 Third party data access terms")


class Owner(Section):
    """Tier 2, 1: who is responsible."""

    organisation: Said | None = Field(title="2.1.1 Organisation or department")
    team: Said | None = Field(title="2.1.2 Team")
    senior_responsible_owner: Said | None = Field(title="2.1.3 Senior responsible owner")
    third_party_involvement: Said | None = Field(title="2.1.4 External supplier involvement")


class Rationale(Section):
    """Tier 2, 2: what it does and why."""

    detailed_description: Said | None = Field(title="2.2.1 Detailed description")
    scope: Said | None = Field(title="2.2.2 Scope")
    benefit: Said | None = Field(title="2.2.3 Benefit")
    previous_process: Said | None = Field(title="2.2.4 Previous process")
    alternatives: Said | None = Field(title="2.2.5 Alternatives considered")


class Deciding(Section):
    """Tier 2, 3: where people decide."""

    process_integration: Said | None = Field(title="2.3.1 Process integration")
    provided_information: Said | None = Field(title="2.3.2 Provided information")
    frequency_and_scale: Said | None = Field(title="2.3.3 Frequency and scale of usage")
    human_decisions: Said | None = Field(title="2.3.4 Human decisions and review")
    required_training: Said | None = Field(title="2.3.5 Required training")
    appeals: Said | None = Field(title="2.3.6 Appeals and review")


class Specification(Section):
    """Tier 2, 4.1: the tool."""

    architecture: Said | None = Field(title="2.4.1.1 System architecture")
    phase: Phase | None = Field(title="2.4.1.2 Phase")
    maintenance: Said | None = Field(title="2.4.1.3 Maintenance")


class ModelCard(Section):
    """Tier 2, 4.2: one model, or one rule that stands in its place."""

    name: Said = Field(title="2.4.2.1 Model name")
    version: Said | None = Field(title="2.4.2.2 Model version")
    task: Said | None = Field(title="2.4.2.3 Model task")
    input: Said | None = Field(title="2.4.2.4 Model input")
    output: Said | None = Field(title="2.4.2.5 Model output")
    architecture: Said | None = Field(title="2.4.2.6 Model architecture")
    performance: Said | None = Field(title="2.4.2.7 Model performance")
    datasets: Said | None = Field(title="2.4.2.8 Datasets")
    dataset_purposes: Said | None = Field(title="2.4.2.9 Dataset purposes")


class DataCard(Section):
    """Tier 2, 4.3: one source of data."""

    name: Said = Field(title="2.4.3.1 Source data name")
    modality: Said | None = Field(title="2.4.3.2 Data modality")
    description: Said | None = Field(title="2.4.3.3 Data description")
    quantities: Said | None = Field(title="2.4.3.4 Data quantities")
    sensitive_attributes: Said | None = Field(title="2.4.3.5 Sensitive attributes")
    completeness: Said | None = Field(title="2.4.3.6 Data completeness and representativeness")
    source_url: Said | None = Field(title="2.4.3.7 Source data URL")
    collection: Said | None = Field(title="2.4.3.8 Data collection")
    cleaning: Said | None = Field(title="2.4.3.9 Data cleaning")
    sharing_agreements: Said | None = Field(title="2.4.3.10 Data sharing agreements")
    access_and_storage: Said | None = Field(title="2.4.3.11 Data access and storage")


class Impact(Section):
    """Tier 2, 5: what was assessed, and what may go wrong."""

    impact_assessment: Said | None = Field(title="2.5.1 Impact assessment")
    risks: Said | None = Field(title="2.5.2 Risks and mitigations")


class Variable(Frozen):
    """One indicator: what is known of a family, from whom, and in what form.

    Attributes:
        owners: names of the organisations that work it out from their own rows.
        window_months: looked back on.
        rules: how each source works it out, in words.
        released_as: all that leaves an owner.
        need: the need that it counts for, by the catalogue; null without one.
    """

    id: Slug
    description: Said
    owners: tuple[Said, ...]
    window_months: int
    rules: dict[Slug, Said]
    released_as: Literal["met, unmet or unknown"] = "met, unmet or unknown"
    need: Said | None


class CatalogueNamed(Frozen):
    """The catalogue of criteria that explains the needs."""

    id: Slug
    title: Said
    valid_from: IsoDate
    valid_until: IsoDate | None
    minimum: int
    source: Said
    hash: Hash


class Program(Frozen):
    """Which program this is: its version, and a hash over its installed files (``code``)."""

    version: Said
    code: Hash


class TransparencyRecord(Frozen):
    """A record (``transparency-record/v1``).

    Attributes:
        agreement: id and version that it is about; ``agreement_hash``: what every party signed.
        minimum_needs: so many variables met put a family forward for professional consideration.
        linkage_schema: hash of what is encoded, and how.
        data: hash of the newest list's provenance, which names the run and each of its files; null
            where none is named.
    """

    format: Literal["transparency-record/v1"] = "transparency-record/v1"
    standard: Literal["3.0"] = "3.0"
    written_on: IsoDate
    agreement: Slug
    agreement_version: int
    agreement_hash: Hash
    linkage_schema: Hash
    program: Program
    catalogue: CatalogueNamed | None
    data: Hash | None = None
    minimum_needs: int
    variables: tuple[Variable, ...]
    overview: Overview
    owner: Owner
    third_parties: tuple[ThirdParty, ...]
    rationale: Rationale
    deciding: Deciding
    specification: Specification
    models: Annotated[tuple[ModelCard, ...], Field(min_length=1)]
    sources: Annotated[tuple[DataCard, ...], Field(min_length=1)]
    impact: Impact

    def parts(self) -> Iterator[tuple[str, Section]]:
        """Every section with its heading, in the standard's order."""
        yield "Tier 1: overview", self.overview
        yield "Tier 2: owner and responsibility", self.owner
        for party in self.third_parties:
            yield f"External supplier: {party.supplier}", party
        yield "Tier 2: description and rationale", self.rationale
        yield "Tier 2: decision-making process", self.deciding
        yield "Tier 2: tool specification", self.specification
        for model in self.models:
            yield f"Model: {model.name}", model
        for source in self.sources:
            yield f"Data: {source.name}", source
        yield "Tier 2: risks, mitigations and impact assessments", self.impact

    def missing(self) -> tuple[str, ...]:
        """What nobody has said yet: heading and title of each field."""
        return tuple(
            f"{heading}: {title}"
            for heading, section in self.parts()
            for title, text in section.lines()
            if text is None
        )
