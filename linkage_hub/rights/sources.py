"""A run without the rows whose records are left out."""

from collections.abc import Sequence

from governance.exchange.left_out import is_left_out
from linkage_hub.linkage.persons import LinkResult
from linkage_hub.quality.removal import without_synthetic
from linkage_hub.quality.service import only
from linkage_hub.runs.inputs import SourceData


def without_left_out(
    sources: Sequence[SourceData], linked: LinkResult
) -> tuple[list[SourceData], LinkResult]:
    """Sources and persons without rows that hold nothing.

    Records that such a row held together while the run went on are parted again.
    """
    kept = [~is_left_out(source.handles) for source in sources]
    return (
        [only(source, mask) for source, mask in zip(sources, kept, strict=True)],
        without_synthetic(linked, kept),
    )
