"""One world for all tests of rights: each takes families of its own."""

from collections.abc import Iterator

import pytest

from tests.hub_world import HubWorld
from tests.rights_world import rights_world_in


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """Two partners and a hub that has linked twenty-four families."""
    with rights_world_in(tmp_path_factory.mktemp("rights")) as found:
        yield found
