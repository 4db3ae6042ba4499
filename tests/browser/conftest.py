"""Fixtures of the browser tests: one browser, and one live park for all of a file's tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "integration"), str(TESTS)]

from harness.claims import pytest_collection_modifyitems, pytest_runtest_protocol  # noqa: E402, F401 (hooks)
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


def pytest_generate_tests(metafunc):
    """A file whose pages are to work either way says so: PAGES = ["with scripts", "without scripts"]."""
    if "page" in metafunc.fixturenames and hasattr(metafunc.module, "PAGES"):
        metafunc.parametrize("page", metafunc.module.PAGES, indirect=True)


@pytest.fixture
def page(request, browser):
    """The browser without scripts (PAGES tells otherwise) and signed in nowhere, at a desk's width; left as it was."""
    without = getattr(request, "param", "without scripts") == "without scripts"
    browser.command("Emulation.setScriptExecutionDisabled", value=without)
    browser.command("Network.clearBrowserCookies")
    browser.size(1280)
    browser.log()
    yield browser
    browser.command("Emulation.setScriptExecutionDisabled", value=False)
