from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.weir import LocalWeir


@pytest.fixture
def weir(tmp_path: Path) -> Iterator[LocalWeir]:
    """A home of the test's own, with nothing running yet."""
    local = LocalWeir(tmp_path / "home")
    yield local
    local.kill()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWeir]:
    """A Weir that runs while a module's tests do."""
    local = LocalWeir(tmp_path_factory.mktemp("running") / "home")
    local.up()
    yield local
    local.kill()
