"""Style sheets, scripts and pictures: built, committed, served under names that change with them.

Rules: only files that were built are served, from memory, by exact name; a name holds the hash of
the file's bytes, so a browser may keep it for a year and never shows an old one with a new page.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

PREFIX: Final = "/static"
_KINDS: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml; charset=utf-8",
}
_FOREVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class StaticFile:
    """A file as it is served."""

    name: str
    kind: str
    content: bytes


def asset_path(name: str) -> str:
    """The address of a built file, below the application's root.

    Raises:
        KeyError: no such file was built.
    """
    return f"{PREFIX}/{_files()[name].name}"


def static_routes() -> APIRouter:
    """Serves the built files."""
    router = APIRouter(prefix=PREFIX)
    by_name = {file.name: file for file in _files().values()}

    @router.get("/{name}", include_in_schema=False)
    def static(_request: Request, name: str) -> Response:
        """One built file."""
        file = by_name.get(name)
        if file is None:
            raise HTTPException(404)
        return Response(file.content, media_type=file.kind, headers={"Cache-Control": _FOREVER})

    return router


@cache
def _files() -> dict[str, StaticFile]:
    found = {}
    for path in (files("governance.ui") / "static").iterdir():
        stem, _, ending = path.name.rpartition(".")
        if kind := _KINDS.get(ending):
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:16]
            found[path.name] = StaticFile(f"{stem}.{digest}.{ending}", kind, content)
    return found
