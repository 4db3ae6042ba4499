"""The mutants of tests/mutants keep up with the code; that they are killed is shown by tests/mutants/run (tests/run --long)."""

from __future__ import annotations

from harness.process import run
from harness.servers import SOURCE

LAWS = ("D1", "D2", "D3", "D4", "D5", "D6", "D7")


def test_every_mutant_applies_to_the_code_and_names_tests_that_exist():
    checked = run([SOURCE / "tests/mutants/run", "--check"])
    assert checked.returncode == 0, checked.stderr


def test_every_law_has_mutants():
    listed = run([SOURCE / "tests/mutants/run", "--list"])
    laws = [line.split()[1].rstrip(",") for line in listed.stdout.splitlines()]
    assert len(laws) >= 20
    assert set(LAWS) <= set(laws)
