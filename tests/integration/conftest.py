"""Fixtures of the integration tests: see harness/ for what they hand out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from harness.claims import pytest_collection_modifyitems, pytest_runtest_protocol  # noqa: F401 (hooks)
from harness.process import run
from harness.sanitizer import no_report, report_folder  # noqa: F401 (fixtures of every test)
from harness.stage import OPEN_STAGES, Park, Stage


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the ends of the logs of all that runs."""
    report = (yield).get_result()
    if report.failed:
        for stage in OPEN_STAGES:
            for program in stage.programs:
                report.sections.append((f"log of {program.name}", program.log_tail()))


@pytest.fixture
def stage(tmp_path):
    """An empty stage: a test starts on it what it needs."""
    with Stage(tmp_path) as made:
        yield made


@pytest.fixture
def park(tmp_path):
    """All of it, live: see harness.stage.Park."""
    with Stage(tmp_path) as made:
        yield Park(made).start()


@pytest.fixture
def small_folder(tmp_path):
    """A folder that is a small file system of its own, to be filled: `small_folder(mebibytes)`; called again, it is resized."""
    folder = tmp_path / "small"

    def resize(mebibytes: int) -> Path:
        is_new = not folder.exists()
        folder.mkdir(exist_ok=True)
        options = f"size={mebibytes}m" if is_new else f"remount,size={mebibytes}m"
        done = run(["mount", "-t", "tmpfs", "-o", options, "none", folder])
        if done.returncode != 0:
            pytest.skip(f"NOT TESTED: a full disk needs leave to mount one: {done.stderr.strip()}")
        return folder

    yield resize
    run(["umount", "--lazy", folder])


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data; where it is absent the test is skipped, which CI=true counts as a failure."""
    source = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("PARKMON_DATA", source.parent / "shared/data"))
    if not folder.is_dir():
        text = f"REAL DATA ABSENT: {folder} (set PARKMON_DATA)"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    return folder
