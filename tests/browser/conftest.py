"""Fixtures of the browser tests: one browser, and one live park for all of a file's tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from harness.sanitizer import no_report, report_folder  # noqa: E402, F401 (fixtures of every test)
from webdriver import Browser


@pytest.fixture(scope="module")
def park(tmp_path_factory):
    """A running park with .http_url. PARKMON_URL names one that runs already, such as a demo."""
    if "PARKMON_URL" in os.environ:
        yield SimpleNamespace(http_url=os.environ["PARKMON_URL"].rstrip("/"))
        return
    from harness.stage import Park, Stage

    with Stage(tmp_path_factory.mktemp("park")) as stage:
        yield Park(stage).start()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser")) as made:
        yield made
