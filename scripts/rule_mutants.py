"""Rules left out or turned round, each in a copy of the tree: does the state machine notice?

The changes are made by hand, where a mutation tool would not think of them: a whole rule gone, a
boundary a day late, the wrong grant the newest. ``python scripts/rule_mutants.py`` prints each that
its state machine (of releases, or of erasures) does not notice, and fails if there is one.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
COPIED: Final = (
    "governance", "partner_agent", "linkage_hub", "tests", "benchmarks", "examples", "requirements",
    "pyproject.toml",
)  # fmt: skip
MACHINE: Final = "tests/governance/release/test_machine.py"
ERASURES: Final = "tests/governance/consent/test_erasure.py"
NOTICED: Final = 1  # pytest's exit code when a test fails


class Change(NamedTuple):
    """Code in one file, and what stands there instead."""

    file: str
    code: str
    instead: str
    machine: str = MACHINE


CHANGES: Final = (
    Change(
        "governance/identity/registry.py",
        "if person is not None and person.keys.passkey is not None:",
        "if False:",
    ),
    Change(
        "governance/consent/registry.py",
        "            if state is ConsentState.WITHDRAWN:  # said again",
        "            if False:  # said again",
    ),
    Change(
        "governance/consent/registry.py",
        "if grant.changed_to is not ConsentState.WITHDRAWN:  # a withdrawal is final",
        "if True:",
    ),
    Change(
        "governance/consent/registry.py",
        "if state in PERMITTING and now >= parse_time(self.expires)",
        "if state in PERMITTING and now > parse_time(self.expires) + timedelta(days=1)",
    ),
    Change(
        "governance/consent/registry.py",
        "        if record.state in PERMITTING:\n            in_force(standing, written)\n",
        "",
    ),
    Change(
        "governance/consent/registry.py",
        "party != found.party:",
        "party == '':",
    ),
    Change(
        "governance/consent/rules.py",
        "    ConsentState.INVALIDATED: ConsentInvalidated,\n",
        "",
    ),
    Change(
        "governance/consent/rules.py",
        "    ConsentState.REFUSED: ConsentRefused,\n",
        "",
    ),
    Change(
        "governance/consent/rules.py",
        "        and approach.recipient in record.recipients\n",
        "",
    ),
    Change(
        "governance/consent/rules.py",
        "        and set(approach.items) <= set(record.items)\n",
        "",
    ),
    Change(
        "governance/consent/rules.py",
        "(own or not member.adult)",
        "True",
    ),
    Change(
        "governance/release/registry.py",
        "if len(signers) != 1 or requester.role is not Role.SERVICE_MANAGER:",
        "if len(signers) != 1:",
    ),
    Change(
        "governance/release/registry.py",
        "if request.recipient != requester.thumbprint:",
        "if False:",
    ),
    Change(
        "governance/release/registry.py",
        "if not timedelta(0) < expires - created <= timedelta(hours=REQUEST_MAX_HOURS):",
        "if False:",
    ),
    Change(
        "governance/release/registry.py",
        "if approver.role is not Role.IG_LEAD:",
        "if False:",
    ),
    Change(
        "governance/release/registry.py",
        "if parse_time(approval.created) >= parse_time(record.request.expires):",
        "if False:",
    ),
    Change(
        "governance/release/registry.py",
        "if payload.party in record.sealed_by:",
        "if False:",
    ),
    Change(
        "governance/release/verify.py",
        'or approval.decision != "approve"',
        "",
    ),
    Change(
        "governance/release/verify.py",
        "if record is None or record.decision != approval or record.decision_index is None:",
        "if record is None or record.decision_index is None:",
    ),
    Change(
        "governance/release/verify.py",
        "if record.decision_index >= witnessed.checkpoint.size:",
        "if False:",
    ),
    Change(
        "governance/release/verify.py",
        "if b64(witnessed.root_at(approval.checkpoint.size)) != approval.checkpoint.root:",
        "if False:",
    ),
    Change(
        "governance/release/verify.py",
        "if not parse_time(request.created) <= now < parse_time(request.expires):",
        "if not now < parse_time(request.expires):",
    ),
    Change(
        "governance/release/verify.py",
        "if not parse_time(request.created) <= now < parse_time(request.expires):",
        "if not parse_time(request.created) <= now:",
    ),
    Change(
        "governance/release/verify.py",
        "if party in record.sealed_by:",
        "if False:",
    ),
    Change(
        "governance/release/verify.py",
        "if named != (request.members, request.family, request.agreement):",
        "if False:",
    ),
    Change(
        "governance/release/verify.py",
        "if grant.record.party == party",
        "if True",
    ),
    Change(
        "governance/identity/registry.py",
        "if found is None or found.revoked:",
        "if found is None:",
    ),
    Change(
        "governance/agreements/policy.py",
        "    if standing.suspended_by:\n",
        "    if False:\n",
    ),
    Change(
        "governance/agreements/policy.py",
        "if today > date.fromisoformat(agreement.review_by):",
        "if False:",
    ),
    Change(
        "governance/release/registry.py",
        "if request.id in self._ids:",
        "if False:",
    ),
    Change(
        "governance/release/registry.py",
        "or record.decision is not None:",
        ":",
    ),
    Change(
        "governance/release/registry.py",
        "if agreement.partner(approver.party) is None:",
        "if False:",
    ),
    Change(
        "governance/agreements/policy.py",
        "if recipient not in agreement.recipients:",
        "if False:",
    ),
    Change(
        "governance/agreements/policy.py",
        "if outside or not items:",
        "if not items:",
    ),
    Change(
        "governance/consent/rules.py",
        "        if member.person not in without:\n",
        "",
    ),
    Change(
        "governance/consent/rules.py",
        "    if live:\n        return live\n",
        "    return live\n",
    ),
    Change(
        "governance/consent/registry.py",
        "return max(found, key=lambda grant: grant.decided, default=None)",
        "return max(found, key=lambda grant: grant.index, default=None)",
    ),
    Change(
        "governance/consent/registry.py",
        "        if state is ConsentState.REAFFIRMED and (",
        "        if False and (",
    ),
    Change(
        "governance/consent/registry.py",
        "now >= parse_time(self.expires)",
        "now > parse_time(self.expires)",
    ),
    Change(
        "governance/release/verify.py",
        "<= now < parse_time(request.expires)",
        "<= now <= parse_time(request.expires)",
    ),
    Change(
        "governance/release/registry.py",
        ">= parse_time(record.request.expires)",
        "> parse_time(record.request.expires)",
    ),
    Change(  # nothing stands for what was erased
        "governance/consent/registry.py",
        "                self._closed.setdefault(place, each)\n",
        "",
        ERASURES,
    ),
    Change(  # only a refusal is remembered
        "governance/consent/registry.py",
        "                self._closed.setdefault(place, each)\n",
        "                was = found[each.id]\n"
        "                if isinstance(was, Unopened) or was.terms.state is ConsentState.REFUSED:\n"
        "                    self._closed.setdefault(place, each)\n",
        ERASURES,
    ),
    Change(
        "governance/consent/registry.py",
        "if each is None or isinstance(each, Erased) or each.party != party:",
        "if each is None or isinstance(each, Erased):",
        ERASURES,
    ),
    Change(
        "governance/consent/registry.py",
        "if each is None or isinstance(each, Erased) or each.party != party:",
        "if each is None or each.party != party:",
        ERASURES,
    ),
    Change(
        "governance/consent/registry.py",
        "if grant.place != place:",
        "if False:",
        ERASURES,
    ),
    Change(
        "governance/consent/registry.py",
        "if parse_time(each.recorded) > before:",
        "if False:",
        ERASURES,
    ),
    Change(
        "governance/consent/registry.py",
        "if not found or len(found) != len(leaf.refs):",
        "if not found:",
        ERASURES,
    ),
    Change(
        "governance/consent/registry.py",
        "if self._closed and place_of(party, record.subject, record.kind) in self._closed:",
        "if False:",
        ERASURES,
    ),
    Change(
        "governance/consent/registry.py",
        "        self.require_opened()\n",
        "",
        ERASURES,
    ),
    Change(
        "governance/consent/registry.py",
        "        self.unopened.pop(id_, None)\n",
        "",
        ERASURES,
    ),
    Change(
        "governance/consent/registry.py",
        "[each for each in self._by_subject.pop(subject) if each is not grant]",
        "self._by_subject.pop(subject)",
        ERASURES,
    ),
    Change(
        "governance/consent/registry.py",
        "            return lambda: None  # its place is closed",
        "            raise NotAdmissible('')  # its place is closed",
        ERASURES,
    ),
)


def main() -> int:
    """Make each change in turn; how many went unnoticed."""
    unnoticed = 0
    with TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, tree / name)
        for machine in (MACHINE, ERASURES):
            if _run(tree, machine) != 0:
                print(f"{machine} fails without any change")
                return 1
        for change in CHANGES:
            path = tree / change.file
            text = path.read_text("utf-8")
            if text.count(change.code) != 1:
                print(f"stands {text.count(change.code)} times in {change.file}: {change.code}")
                unnoticed += 1
                continue
            path.write_text(text.replace(change.code, change.instead), "utf-8")
            noticed = _run(tree, change.machine) == NOTICED
            path.write_text(text, "utf-8")
            if not noticed:
                words = f"{change.code!r} -> {change.instead!r}"
                print(f"not noticed in {change.file}: {words}", flush=True)
                unnoticed += 1
    print(f"{len(CHANGES) - unnoticed} of {len(CHANGES)} changes of the rules are noticed")
    return unnoticed


def _run(tree: Path, machine: str) -> int:
    arguments = ("-q", "-x", "-p", "no:cacheprovider", "--hypothesis-profile=unshrunk")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, machine],
        cwd=tree,
        check=False,
        capture_output=True,
    ).returncode


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
