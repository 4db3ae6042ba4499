"""Runs of pytest that share a folder: each test is run once, by one of them, and what a file's tests share is set up and torn down once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

from harness.servers import SOURCE

FILE = """import os, time
import pytest

def note(word):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{os.getpid()} {__name__} {word}\\n")

@pytest.fixture(scope="module")
def shared():
    note("set up")
    yield
    note("torn down")

@pytest.mark.parametrize("number", range(3))
def test_one(shared, number):
    note(number)
    time.sleep(0.05)  # so that the other run is at it as well
"""
FILES, RUNS = 12, 3


def test_runs_side_by_side_take_each_file_once(tmp_path):
    tests, notes, claims = tmp_path / "tests", tmp_path / "notes", tmp_path / "claims"
    tests.mkdir()
    claims.mkdir()
    for i in range(FILES):
        (tests / f"test_{i}.py").write_text(FILE + "#" * i)
    (tests / "conftest.py").write_text("from harness.claims import pytest_collection_modifyitems, pytest_runtest_protocol\n")
    environment = {**os.environ, "PYTHONPATH": str(SOURCE / "tests/integration"), "PARKMON_CLAIMS": str(claims), "NOTES": str(notes)}
    runs = [subprocess.Popen([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests], env=environment, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(RUNS)]
    for run in runs:
        said = run.communicate(timeout=120)[0]
        assert run.returncode == 0, said
    lines = [line.split(" ", 2) for line in notes.read_text().splitlines()]
    assert len({process for process, *_ in lines}) > 1, "several of them had something to do"
    assert Counter((name, word) for _, name, word in lines) == Counter(
        (f"test_{i}", word) for i in range(FILES) for word in ("set up", "0", "1", "2", "torn down"))
    for process, name, word in lines:
        assert process == next(other for other, its, _ in lines if its == name), "a file is one run's"
