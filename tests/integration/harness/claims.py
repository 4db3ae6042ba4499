"""Several runs of pytest share the tests of a folder: each takes whole files that no other has taken, the largest first. They wait
more than they compute. PARKMON_CLAIMS names the folder of claims (tests/run makes it); without it one run takes all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# These build in the same folder.
TOGETHER = {"test_demo.py": "test_bench.py"}

taken: dict[str, bool] = {}


def claim(name: str) -> bool:
    """Whether this run has the tests of that name: the first that asks."""
    if name not in taken:
        try:
            os.close(os.open(Path(os.environ["PARKMON_CLAIMS"]) / name, os.O_CREAT | os.O_EXCL))
            taken[name] = True
        except FileExistsError:
            taken[name] = False
    return taken[name]


def pytest_collection_modifyitems(items):
    if "PARKMON_CLAIMS" in os.environ:
        items.sort(key=lambda item: (-item.path.stat().st_size, item.path))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    """True: nothing is left to be done with it. A file is whole in one run, so that what its tests share is torn down after them."""
    name = item.path.name
    return True if "PARKMON_CLAIMS" in os.environ and not claim(TOGETHER.get(name, name)) else None
