"""A world for each module of tests of rights: each test takes families of its own.

Not one for the folder: pytest-xdist hands files out in any order, and what one file leaves behind
(a further run, a child who has objected) changes what another finds.
"""

from collections.abc import Iterator

import pytest

from tests.hub_world import HubWorld
from tests.rights_world import rights_world_in


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """Two partners and a hub that has linked twenty-four families."""
    with rights_world_in(tmp_path_factory.mktemp("rights")) as found:
        yield found
