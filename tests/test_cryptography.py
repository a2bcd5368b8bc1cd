"""The inventory of keys and cryptography lists every place where cryptography is used."""

import re
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGES: Final = ("governance", "partner_agent", "linkage_hub")
INVENTORY: Final = (ROOT / "docs/cryptography.md").read_text("utf-8")
LIBRARIES: Final = {
    "authlib", "cryptography", "hashlib", "hmac", "http_message_signatures", "joserfc", "webauthn",
}  # fmt: skip
BLOCKS: Final = "partner_agent/refinement/answers.py"
"""Where single blocks are enciphered, as a keyed function."""


@cache
def sources() -> dict[str, str]:
    """Every module of the programs."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


@cache
def scripts() -> dict[str, str]:
    """Every script that pages are built from."""
    found = (ROOT / "assets/scripts").rglob("*.*js")
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in found}


def imported(text: str) -> set[str]:
    """Packages that a module imports, anywhere in it."""
    return set(re.findall(r"^\s*(?:from|import) (\w+)", text, re.MULTILINE))


def test_the_inventory_lists_every_use() -> None:
    """Each module that imports a library of cryptography, each script that calls the browser's."""
    used = {name for name, text in sources().items() if imported(text) & LIBRARIES}
    used |= {name for name, text in scripts().items() if re.search(r"crypto\.|@hpke", text)}
    listed = set(re.findall(r"`([\w/]+\.(?:py|js))`", INVENTORY)) - {"tests/test_cryptography.py"}
    assert used == listed
    assert len(used) > 40


def test_hashes_are_those_of_the_inventory() -> None:
    """No MD5 and no SHA-1, by whatever name."""
    names = set(re.findall(r"\b(?:hashlib|hashes)\.(\w+)", "".join(sources().values())))
    assert names - {"file_digest", "new"} == {"sha256", "SHA256", "SHA512", "shake_256", "blake2b"}
    assert not re.search(r"md5|sha-?1\b", "".join(sources().values()), re.IGNORECASE)


def test_ciphers_are_authenticated() -> None:
    """AES-GCM everywhere but in the one place that says why."""
    raw = r"from cryptography.hazmat.primitives.ciphers(?!\.aead)"
    assert {name for name, text in sources().items() if re.search(raw, text)} == {BLOCKS}
    assert set(re.findall(r'"(AES-\w+)"', "".join(scripts().values()))) == {"AES-GCM"}


def test_what_can_be_guessed_makes_synthetic_rows_only() -> None:
    """Python's ``random`` is imported nowhere else, and no UUID stands for a secret."""
    guessable = {name for name, text in sources().items() if "random" in imported(text)}
    assert {name.rpartition("/")[0] for name in guessable} == {"partner_agent/sentinels"}
    assert not [name for name, text in sources().items() if "uuid" in imported(text)]
    assert "Math.random" not in "".join(scripts().values())
