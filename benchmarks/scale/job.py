"""Our side: every program as a process, over real HTTP, databases and files, stage by stage."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.scale.referee import Referee
from benchmarks.scale.watching import Watch, watching
from examples.county.demo.site import Site, agents, found, services
from examples.county.demo.story import Story

POLL_SECONDS: Final = 1.0


@dataclass
class Job:
    """What one run of the whole job took.

    Attributes:
        seconds: wall-clock, of each stage, in order.
        processor: processor seconds of each stage: all programs of the site.
        steps: seconds of each step of the hub's worker, as far as it was seen.
        step_processor: processor seconds of the hub in each step.
        megabytes: most memory of the hub, all agents together, and the ledger.
        hub_by_step: the hub's most megabytes in each step.
        figures: counts and quality.
    """

    records: int
    mode: str
    seconds: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)
    steps: dict[str, float] = field(default_factory=dict)
    step_processor: dict[str, float] = field(default_factory=dict)
    megabytes: dict[str, int] = field(default_factory=dict)
    hub_by_step: dict[str, int] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """Seconds from extracts to results in files."""
        return sum(self.seconds.values())

    @contextlib.contextmanager
    def stage(self, name: str, watch: Watch) -> Iterator[None]:
        """Time a stage."""
        began, used = time.monotonic(), _processor(watch)
        yield
        self.seconds[name] = round(time.monotonic() - began, 1)
        self.processor[name] = round(_processor(watch) - used, 1)


def whole_job(
    root: Path,
    county: Path,
    mode: str,
    profile: str,
    *,
    questions: bool,
    say: Callable[[str], None],
) -> Job:
    """Run the job in a new folder, and compare what it finds with the county's truth.

    Founding the parties, signing the agreement and sharing the secret come before and are not
    counted: they happen once, whatever the number of records.
    """
    site = Site(root)
    root.mkdir(parents=True)
    site.county.symlink_to(county.resolve())
    job = Job(0, mode)
    found(site)
    with services(site) as addresses, watching(root) as watch:
        story = Story(site, addresses, refine=questions, profile=profile)
        story.connect()
        with agents(site):
            story.agree()
            story.share_secret()
            story.enrol_staff()
            watch.memory.clear()
            with job.stage("agents: clean, encode, seal", watch):
                prepared = story.prepare()
            job.records = sum(int(source["submitted"]) for source in prepared)
            say(f"{job.records} records prepared in {job.seconds['agents: clean, encode, seal']} s")
            with job.stage("upload and verify", watch):
                story.submit()
            with job.stage("hub: persons, families, results", watch):
                view = _link(story, mode, say, questions=questions)
            with job.stage("exports", watch):
                out = site.root / "exports"
                story.person("analyst", "linkage-hub", "runs", "export", view["id"], "--out", out)
        job.steps = {name: round(seconds, 1) for name, seconds in watch.steps.items()}
        job.step_processor = {name: round(used, 1) for name, used in watch.processor.items()}
        job.megabytes, job.hub_by_step = dict(watch.memory), dict(watch.hub_by_step)
    job.figures = {
        name: view[name]
        for name in ("persons", "families", "flagged", "estimated_precision", "estimated_recall")
    }
    job.figures |= Referee(site).quality(site.root / "exports")
    return job


def _processor(watch: Watch) -> float:
    """Processor seconds of living programs, and of commands that ended."""
    times = os.times()
    return watch.processor_seconds() + times.children_user + times.children_system


def _link(
    story: Story, mode: str, say: Callable[[str], None], *, questions: bool
) -> dict[str, Any]:
    words = ("linkage-hub", "runs")
    view = story.person(
        "analyst",
        *words,
        "start",
        "--agreement",
        story.agreement,
        "--mode",
        mode,
        "--questions" if questions else "--no-questions",
    )
    told = ""
    while view["state"] not in {"finished", "failed"}:
        time.sleep(POLL_SECONDS)
        view = story.person("analyst", *words, "show", view["id"])
        step = f"{view['phase']}: {view['step'].split(',')[0]}"
        if step != told:
            left = "" if view["seconds_left"] is None else f", {view['seconds_left']} s left"
            say(f"{view['progress']:.0%} {step}{left}")
            told = step
    if view["state"] == "failed":
        raise RuntimeError(f"the run failed: {view['reason']}")
    return view
