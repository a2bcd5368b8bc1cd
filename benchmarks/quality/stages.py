"""What each stage of the hub's linkage adds, by the functions that its runs call."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.quality.greedy import Labels, greedy_groups
from benchmarks.quality.ours import Encoded
from benchmarks.quality.rounds import Asked, ask
from linkage_hub.linkage.candidates import PairBlock, find_candidates
from linkage_hub.linkage.persons import SOLVERS, LinkResult, link_candidates


@dataclass(frozen=True)
class Stages:
    """One task through the hub's stages.

    Attributes:
        blocks: candidate pairs, one block for each pair of sources.
        sizes: records of each source.
        alone: anonlink's greedy groups at the similarity that the first stage chose; none for one
            source, in which the hub compares nothing.
        calibrated: persons by the first stage's model.
        refined: persons with the agents' answers; None for one source, whose agent has said all
            that it knows.
        by_anonlink: the same with anonlink's solver in the place of average linkage.
        asked: what the agents were asked.
    """

    blocks: list[PairBlock]
    sizes: list[int]
    alone: Labels | None
    calibrated: LinkResult
    refined: LinkResult | None
    by_anonlink: LinkResult | None
    asked: Asked | None


def linked(sources: Sequence[Encoded]) -> Stages:
    """Candidates, the first stage, the agents' answers, and persons by each."""
    encodings = [source.encodings for source in sources]
    sizes = [len(source.record_ids) for source in sources]
    held = [source.data.duplicates for source in sources]
    blocks = find_candidates(encodings)
    first = link_candidates(blocks, sizes, encodings=encodings, duplicates=held)
    if len(sources) == 1:
        return Stages(blocks, sizes, None, first, None, None, None)
    asked = ask(sources, blocks)
    refined, by_anonlink = (
        link_candidates(
            blocks,
            sizes,
            encodings=encodings,
            duplicates=held,
            decisions=asked.answers,
            solver=solver,
        )
        for solver in SOLVERS
    )
    alone = greedy_groups(blocks, sizes, first.threshold)
    return Stages(blocks, sizes, alone, first, refined, by_anonlink, asked)
