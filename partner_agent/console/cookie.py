"""The session's cookie.

Cookies of 127.0.0.1 go to every port of it, whoever listens there. So ours has the program's own
random word as its path: a browser that is led to another user's server on this computer does not
hand it over, since nobody else knows the word. ``Secure`` needs TLS, which there is none of here:
nothing of it leaves the computer. A server on another port can add cookies, and all are tried.
"""

from typing import Final

from starlette.datastructures import Headers

COOKIE: Final = "hearthlink"


def cookies(headers: Headers) -> list[str]:
    """Every value under the session cookie's name."""
    pairs = [
        part.strip().partition("=")
        for line in headers.getlist("cookie")
        for part in line.split(";")
    ]
    return [value for name, _, value in pairs if name == COOKIE]


def set_cookie(secret: str, root: str) -> str:
    """The header that gives a browser its session, under the path ``root``."""
    return f"{COOKIE}={secret}; Path={root}/; HttpOnly; SameSite=Strict"


def clear_cookie(root: str) -> str:
    """The header that takes it back."""
    return f"{COOKIE}=; Path={root}/; HttpOnly; SameSite=Strict; Max-Age=0"
