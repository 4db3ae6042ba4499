"""The mutants of tests/mutants keep up with the code, and each law has some, and tests that are named in CONTRIBUTING.md; that the
mutants are killed is shown by tests/mutants/run (tests/run --long)."""

from __future__ import annotations

import re

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


def test_every_law_has_tests_and_they_exist():
    rows = re.findall(r"^\| (D\d): [^|]+ \|([^|]+)\|([^|]+)\|$", (SOURCE / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert tuple(law for law, _, _ in rows) == LAWS
    for law, alone, together in rows:
        for folder, cell in (("unit", alone), ("integration", together)):
            names = re.findall(r"`(test_\w+\.\w+)`", cell)
            missing = [name for name in names if not list((SOURCE / "tests" / folder).rglob(name))]
            assert names and not missing, f"{law}: {missing}"
