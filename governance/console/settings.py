"""Settings of the console: what ``init`` wrote, and ``HEARTHLINK_CONSOLE_*`` over it."""

from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from governance.canonical import Slug, canonical_bytes, parse_json
from governance.console.errors import ConsoleNotSetUp
from governance.errors import FormatError
from governance.identity.envelope import parse_model
from governance.terminal import write_bytes

FILE: Final = "console.json"


def is_safe(address: str) -> bool:
    """Whether an address is one of HTTPS, or of ``localhost``.

    Narrower than ``safe_address`` of programs: browsers bind passkeys to a name, never to a number
    (WebAuthn Level 3, section 5.1.2), and a provider on this computer has that name too.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "localhost")


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if not is_safe(text) or text != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("https://HOST, without a path; http for localhost only")
    return text


def _issuer(text: str) -> str:
    if not is_safe(text) or urlsplit(text).query or urlsplit(text).fragment:
        raise ValueError("https://HOST/PATH, as the provider spells it")
    return text


class ConsoleSettings(BaseSettings):
    """What the console needs to run."""

    model_config = SettingsConfigDict(
        env_prefix="HEARTHLINK_CONSOLE_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    party: Slug
    """The organisation whose staff it is for."""
    origin: Annotated[str, AfterValidator(_origin)]
    """The one address by which browsers know it; passkeys are bound to it."""
    ledger_url: str
    ledger_key: str
    """The log's verifier key, pinned by ``init``."""
    hub_url: str | None = None
    """The hub's address; without it, pages that need the hub say so."""
    database_url: str | None = None
    """``postgresql+psycopg://USER@HOST/NAME``; without it a SQLite file in the home."""
    passphrase_file: Path | None = None
    """Opens the console's key and those of its accounts."""
    enrolments: Path | None = None
    """The folder that the party's agent takes countersigned enrolments from, where the agent runs
    as another user of the system; without it ``enrolments`` in the home."""
    dpia_file: Path | None = None
    """The assessment (docs/DPIA.md as the county has completed it), whose risks leads see."""
    test_results: tuple[Path, ...] = ()
    """Recorded runs of the tests that guard those risks (``make invariants``); a JSON list."""
    transparency: Path | None = None
    """A folder of Algorithmic Transparency Records (``linkage-hub transparency record``), which the
    public register shows; without it, it shows none."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8400
    proxies: tuple[str, ...] = ()
    """Addresses of what stands in front and does TLS, a JSON list: from there alone is believed
    whose request it is (``X-Forwarded-For``)."""
    attempts_at_once: Annotated[int, Field(ge=1)] = 100
    """Attempts to sign in or to use a link that one address may make at once; one comes back each
    second. A whole office may share one address."""
    openid_issuer: Annotated[str, AfterValidator(_issuer)] | None = None
    """The organisation's OpenID provider; without it, people sign in with passkeys."""
    openid_client: str | None = None
    """The console's client id there."""
    openid_secret_file: Path | None = None
    """The file that holds the console's client secret there."""
    openid_contexts: tuple[Annotated[str, Field(pattern=r"^[!-~]{1,200}$")], ...] = ()
    """Authentication context classes (``acr``), a JSON list: sign-ins of others are refused."""
    language: Literal["en"] = "en"
    """Of the pages' words."""

    @model_validator(mode="after")
    def _openid_is_whole(self) -> Self:
        given = {self.openid_issuer, self.openid_client, self.openid_secret_file}
        if None in given and len(given) > 1:
            raise ValueError("an OpenID provider needs issuer, client and secret file")
        return self

    @property
    def relying_party(self) -> str:
        """The domain that passkeys are bound to."""
        return str(urlsplit(self.origin).hostname)

    @classmethod
    def load(cls, home: Path) -> Self:
        """Read the settings of a home; the environment comes first.

        Raises:
            ConsoleNotSetUp: there are none.
            FormatError: they are damaged.
        """
        try:
            data = parse_json((home / FILE).read_bytes())
        except OSError:
            raise ConsoleNotSetUp(
                "this folder is not a console's home", next_step="governance console init"
            ) from None
        if not isinstance(data, dict):
            raise FormatError(f"{FILE}: expected an object")
        names = ("party", "origin", "ledger_url", "ledger_key")
        environment = parse_model({name: data.get(name) for name in names}, cls)
        return parse_model(data | environment.model_dump(exclude_unset=True), cls)

    def save(self, home: Path) -> None:
        """Write the settings of a home.

        Raises:
            FileProblem: the folder cannot be written to.
        """
        data = self.model_dump(
            mode="json", exclude_none=True, exclude={"passphrase_file", "openid_secret_file"}
        )
        write_bytes(home / FILE, canonical_bytes(data) + b"\n")
