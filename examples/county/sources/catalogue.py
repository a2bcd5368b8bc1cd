"""All twenty sources, in the order in which they are written."""

from examples.county.sources import council, dwp, nhs, police
from examples.county.sources.base import Source

SOURCES: tuple[Source, ...] = (*police.SOURCES, *dwp.SOURCES, *nhs.SOURCES, *council.SOURCES)
PARTNERS = tuple(dict.fromkeys(source.partner for source in SOURCES))
