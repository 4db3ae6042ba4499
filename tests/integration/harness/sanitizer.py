"""What the sanitizers in our programs found. Each report goes into a file, not to the program's own log, so that one of a
program that is killed later, or whose exit code nobody asks for, still fails the test in which it was written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

VARIABLES = ("ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")


def environment(folder: Path) -> dict[str, str]:
    """The sanitizers' settings, with what is set already, by which reports go into the folder."""
    return {name: ":".join(filter(None, [os.environ.get(name), f"log_path={folder}/report"])) for name in VARIABLES}


def take_reports(folder: Path) -> str:
    """All reports in the folder, which is empty afterwards."""
    text = ""
    for path in sorted(folder.glob("report*")):
        text += f"{path.name}:\n{path.read_text(errors='replace')}\n"
        path.unlink()
    return text


@pytest.fixture(scope="session", autouse=True)
def report_folder(tmp_path_factory) -> Iterator[Path]:
    """Where the programs of the whole session report; also looked at when those that outlive a test have ended."""
    folder = tmp_path_factory.mktemp("sanitizer")
    before = {name: os.environ.get(name) for name in VARIABLES}
    os.environ.update(environment(folder))
    yield folder
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value
    fail_on_reports(folder)


@pytest.fixture(autouse=True)
def no_report(report_folder) -> Iterator[None]:
    """Fails a test in which a sanitizer reported; looks when the test's stage is left."""
    yield
    fail_on_reports(report_folder)


def fail_on_reports(folder: Path) -> None:
    reports = take_reports(folder)
    if reports:
        pytest.fail(f"a sanitizer reported:\n{reports}", pytrace=False)
