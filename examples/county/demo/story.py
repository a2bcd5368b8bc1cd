"""The main job, step by step, with every program as a real process."""

import json
import shutil
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml

from examples.county.demo.agreement import PARTNERS, template
from examples.county.demo.processes import PARALLEL, CommandFailed, run
from examples.county.demo.site import Addresses, Site

WAIT_SECONDS: Final = 300  # at most: a machine may have other things to do
ITEMS: Final = "first_name,surname,address,postcode,phone"
WRITTEN: Final = Path(__file__).parents[2] / "transparency" / "transparency.yaml"
"""What only an organisation can say of itself: an empty form."""
NOTICE: Final = """Privacy notice, version 1

We would like to know whether we may contact you to offer help. You may say no, and you may change
your mind at any time by telling any of us.
"""


@dataclass
class Story:
    """One telling of the main job."""

    site: Site
    at: Addresses
    agreement: str = ""
    run_id: str = ""
    refine: bool = False
    profile: str = "hardened"  # of the encodings
    adjust: Callable[[dict[str, Any]], dict[str, Any]] = lambda drawn_up: drawn_up
    """May change the agreement before it is signed."""
    criteria: Path | None = None
    """The catalogue that the agreement is to name."""
    truths: tuple[Path, ...] = ()
    """Folders of truth of a county whose months go on (``Referee.of``)."""
    figures: dict[str, Any] = field(default_factory=dict)

    # --- helpers ----------------------------------------------------------------------------

    def agent(self, party: str, *words: object, fails: bool = False) -> dict[str, Any]:
        """A partner's command."""
        return run("partner-agent", "--home", self.site.agent(party), "--json", *words, fails=fails)

    def person(
        self, role: str, program: str, *words: object, fails: bool = False
    ) -> dict[str, Any]:
        """A member of staff's command to the hub."""
        secret = self.site.staff(role) / "person.secret"
        return run(program, "--json", *words, "--hub", self.at.hub, "--as", secret, fails=fails)

    def everyone(self, do: Callable[[str], Any], parties: Iterable[str] = PARTNERS) -> list[Any]:
        """The same at every partner, a few at once."""
        with ThreadPoolExecutor(PARALLEL) as pool:
            return list(pool.map(do, parties))

    @property
    def pinned(self) -> tuple[object, ...]:
        """Words that name the ledger and its key."""
        return ("--ledger", self.at.ledger, "--ledger-key", self.site.vkey)

    # --- steps ------------------------------------------------------------------------------

    def connect(self) -> None:
        """Each partner pins the ledger's key and takes a first copy of it."""
        self.everyone(lambda p: self.agent(p, "connect", *self.pinned, "--hub", self.at.hub))

    def agree(self) -> None:
        """Draw up the agreement, and have every partner sign it."""
        draft, agreed = self.site.root / "agreement.draft.yaml", self.site.root / "agreement.yaml"
        today = date.today()  # noqa: DTZ011
        drawn_up = self.adjust(
            template(self.site.county, today, refine=self.refine, profile=self.profile)
        )
        draft.write_text(yaml.safe_dump(drawn_up, sort_keys=False), "utf-8")
        keys = [
            word
            for party in PARTNERS
            for word in ("--keys", self.site.agent(party) / f"{party}.keys.json")
        ]
        named = () if self.criteria is None else ("--criteria", self.criteria)
        done = run("governance", "agreement", "complete", "--json", draft, *keys, *named,
                   "--out", agreed)  # fmt: skip
        self.agreement = done["agreement"]
        first, *others = PARTNERS
        self.agent(first, "agreement", "import", agreed)
        self.everyone(lambda p: self.agent(p, "agreement", "import", agreed), others)
        self.everyone(lambda p: self.agent(p, "agreement", "sign", "--yes", "--despite-register"))

    def share_secret(self) -> None:
        """One partner makes the linkage secret; each other opens what was sealed to it."""
        first, *others = PARTNERS
        values = [self.agent(first, "secret", "create")["key_check_value"]]
        self.agent(first, "secret", "share")
        accepted = self.everyone(lambda p: self.agent(p, "secret", "accept"), others)
        values += [answer["key_check_value"] for answer in accepted]
        if len(set(values)) != 1:
            raise CommandFailed("the partners hold different secrets")

    def enrol_staff(self) -> None:
        """An IG lead, a service manager and an analyst of the council."""
        self.everyone(
            lambda role: run("governance", "person", "init", "--json", "--party", "council",
                             "--role", role, "--home", self.site.staff(role)),
            ("ig_lead", "service_manager", "analyst"),
        )  # fmt: skip
        lead = self.site.staff("ig_lead")
        self.agent("council", "person", "enrol", lead / "person.keys.json")

        def vouch(role: str) -> None:
            folder = self.site.staff(role)
            run(
                "governance", "person", "countersign", "--json", folder / "person.keys.json",
                "--as", lead / "person.secret", "--out", folder / "person.enrolment.json",
            )  # fmt: skip
            self.agent("council", "person", "enrol", folder / "person.enrolment.json")

        self.everyone(vouch, ("service_manager", "analyst"))

    def prepare(self, files: Collection[Path] | None = None) -> list[dict[str, Any]]:
        """Each partner cleans and encodes its extracts, or those that are named."""
        uprn = self.site.county / "uprn" / "addressbase_plus.csv"

        def work(party: str) -> list[dict[str, Any]]:
            own = self.site.extracts(party)
            if files is not None:
                own = [path for path in files if path.parent.name == party]
            words = ["prepare", *own]
            if party == "council":
                words += ["--uprn", uprn]
            prepared: list[dict[str, Any]] = self.agent(party, *words)["prepared"]
            return prepared

        return [source for found in self.everyone(work) for source in found]

    def submit(self) -> list[dict[str, Any]]:
        """Each partner sends what it prepared, and waits for the hub's verdict."""
        answers = self.everyone(lambda p: self.agent(p, "submit", "--all")["submitted"])
        return [source for found in answers for source in found]

    def record_consents(self) -> list[dict[str, Any]]:
        """Each partner records what the people whom it met decided."""
        notice = self.site.root / "privacy-notice.txt"
        notice.write_text(NOTICE, "utf-8")

        def work(party: str) -> dict[str, Any]:
            file = self.site.county / "partners" / party / "consents.csv"
            return self.agent(party, "consent", "import", file, "--notice", notice)

        return self.everyone(work)

    def link(self, exports: str = "exports") -> dict[str, Any]:
        """The analyst starts a run, with questions to partners if any may be asked, and waits."""
        asking = "--questions" if self.refine else "--no-questions"
        found = self.person("analyst", "linkage-hub", "runs", "start", "--agreement",
                            self.agreement, asking, "--wait")  # fmt: skip
        self.run_id = found["id"]
        out = self.site.root / exports
        self.person("analyst", "linkage-hub", "runs", "export", self.run_id, "--out", out)
        return found

    def questions(self) -> list[dict[str, Any]]:
        """What each partner's agent was asked about pairs, as its data officer sees it."""
        answers = self.everyone(lambda p: self.agent(p, "questions", "status")["rounds"])
        return [
            {"party": party} | note
            for party, notes in zip(PARTNERS, answers, strict=True)
            for note in notes
        ]

    def quality(self) -> list[dict[str, Any]]:
        """The table of the run's quality, as the IG lead gets it, and its page beside."""
        page = self.site.root / "exports" / "quality.html"
        answer = self.person("ig_lead", "linkage-hub", "runs", "quality", self.run_id,
                             "--out", page)  # fmt: skip
        rows: list[dict[str, Any]] = answer["rows"]
        return rows

    def needs(self) -> dict[str, list[dict[str, Any]]]:
        """The analyst's figures of needs, at the hub: tables by name."""
        answer = run("linkage-hub", "--home", self.site.hub, "--json", "needs", "figures",
                     self.run_id, "--out", self.site.root / "exports" / "needs")  # fmt: skip
        tables: dict[str, list[dict[str, Any]]] = answer["tables"]
        return tables

    def transparency(self) -> dict[str, Any]:
        """What is said to the public about the tool: what agreement and run tell of it."""
        root, exports = self.site.root, self.site.root / "exports"
        return run(
            "linkage-hub", "--json", "transparency", "record", root / "agreement.yaml",
            "--written", WRITTEN, "--catalogue", "local-example",
            "--quality", exports / "quality.json", "--provenance", exports / "provenance.json",
            "--out", root / "transparency",
        )  # fmt: skip

    def families(self) -> list[dict[str, Any]]:
        """What the service manager sees."""
        answer = self.person("service_manager", "governance", "release", "families",
                             "--flagged", "--limit", "1000")  # fmt: skip
        found: list[dict[str, Any]] = answer["families"]
        return found

    def ask(self, family: str, *, fails: bool = False) -> dict[str, Any]:
        """The service manager asks for one family."""
        return self.person("service_manager", "governance", "release", "request", family,
                           "--purpose", "offer-help", "--items", ITEMS, fails=fails)  # fmt: skip

    def approve(self, request: str) -> dict[str, Any]:
        """The IG lead approves, over the ledger that was verified here."""
        return self.person("ig_lead", "governance", "release", "approve", request, "--yes",
                           *self.pinned)  # fmt: skip

    def wait_for(self, request: str, states: set[str]) -> dict[str, Any]:
        """The request, once it is in one of these states."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            view = self.person("service_manager", "governance", "release", "status", request)
            if view["state"] in states:
                return view
            time.sleep(0.5)
        raise CommandFailed(f"the request stayed {view['state']}")

    def open(self, request: str) -> tuple[Path, list[dict[str, Any]]]:
        """The manager opens what the partners sealed."""
        sheet = self.site.staff("service_manager") / "contact-sheet.json"
        self.person("service_manager", "governance", "release", "open", request, *self.pinned,
                    "--out", sheet)  # fmt: skip
        records: list[dict[str, Any]] = json.loads(sheet.read_text("utf-8"))["records"]
        return sheet, records

    def one_grant(self, view: dict[str, Any]) -> tuple[str, str]:
        """A live grant of one member of the family, and the partner that recorded it."""
        handles = {
            record["handle"]
            for member in view["document"]["members"]
            for record in member["records"]
        }
        for answer in view["answers"]:
            if answer["state"] == "sealed":
                for grant in self.agent(answer["party"], "consent", "list")["grants"]:
                    if grant["subject"] in handles and grant["state"] in {"given", "reaffirmed"}:
                        return answer["party"], grant["grant"]
        raise CommandFailed("no partner has a live grant of this family")

    def ask_then_withdraw(self, family: str, party: str, grant: str) -> str:
        """Ask, then have the grant withdrawn before the approval reaches any partner."""
        request: str = self.ask(family)["id"]
        self.agent(party, "consent", "withdraw", grant)
        self.approve(request)
        return request

    def make_evidence(self, request: str) -> None:
        """The IG lead makes a pack of evidence about an approach, beside the whole ledger.

        The auditor's folder gets what an auditor is handed: both, and everybody's public keys.
        """
        keys = self.site.audit / "keys"
        keys.mkdir(parents=True)
        parties = (self.site.agent(party) / f"{party}.keys.json" for party in PARTNERS)
        for file in (self.site.vkey, *parties):
            shutil.copy(file, keys)
        secret = self.site.staff("ig_lead") / "person.secret"
        members = self.site.staff("ig_lead") / "members.json"
        run("governance", "ledger", "export", "--json", *self.pinned, "--as", secret,
            "--out", self.site.exported)  # fmt: skip
        self.person("ig_lead", "governance", "release", "members", request, "--out", members)
        run("governance", "evidence", "approach", "--json", request,
            "--export", self.site.exported, "--members", members, "--keys", keys,
            "--out", self.site.pack)  # fmt: skip

    def verify_ledger(self) -> dict[str, Any]:
        """The IG lead fetches the whole ledger, recomputes its root, replays it."""
        secret = self.site.staff("ig_lead") / "person.secret"
        return run("governance", "ledger", "verify", "--json", *self.pinned, "--as", secret)
