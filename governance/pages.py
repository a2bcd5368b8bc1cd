"""Pages to print: HTML that needs no script and no other file.

Rules: whatever is put into a page is escaped; a name that a template misspells is an error.
"""

from collections.abc import Callable
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


@lru_cache(maxsize=16)
def page_template(package: str, name: str, **filters: Callable[..., str]) -> Template:
    """A template of a package's ``templates`` folder, with filters of its own; compiled once."""
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment.get_template(name)
