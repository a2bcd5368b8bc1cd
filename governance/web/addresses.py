"""Which addresses of hub and ledger programs may speak to.

Rule: HTTPS, or HTTP to a program on this computer. What goes there is signed, and releases are
sealed; but pseudonyms, encodings and who asks for what are for nobody on the way to read. An
organisation with certificates of its own names their authority (``HEARTHLINK_CA_FILE``).
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from governance.errors import GovernanceError


class UnsafeAddress(GovernanceError):
    """An address at which what is sent could be read on its way."""

    reason = "address.unsafe"
    exit_code = 78  # EX_CONFIG


def safe_address(url: str) -> str:
    """An address without a slash at its end.

    Raises:
        UnsafeAddress: neither HTTPS nor HTTP to this computer.
    """
    try:
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname))
    except ValueError:
        safe = False
    if not safe:
        raise UnsafeAddress(
            "an address begins with https://, or with http:// for a program on this computer",
            next_step="put TLS in front of hub and ledger; HEARTHLINK_CA_FILE names your authority",
        )
    return url.rstrip("/")


def _is_here(host: str | None) -> bool:
    if host is None or host == "localhost":
        return host is not None
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
