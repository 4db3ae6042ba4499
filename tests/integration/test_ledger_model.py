"""The collector's ledger and the slow model give the same answers, line by line, to seeded mixtures of all faults.

The seed is PARKMON_SEED; PARKMON_LONG=1 goes on to a million readings. Two readings of the same rules, made apart: what differs is a mistake of one, or of
the text. A failure prints the seed, what both say, and the history, shortened to the readings that it takes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import islice

import pytest
from harness.parkmon import build_folder
from harness.servers import SOURCE

sys.path.insert(0, str(SOURCE / "tests"))

from oracle import faults  # noqa: E402
from oracle.decided import decided  # noqa: E402
from oracle.mixtures import mixtures  # noqa: E402
from oracle.protocol import History, answer, written  # noqa: E402

SEED = int(os.environ.get("PARKMON_SEED", "1"))
READINGS = 1_000_000 if os.environ.get("PARKMON_LONG") == "1" else 20_000
AT_ONCE = 200  # histories in one run of the driver
END = "end\n"


@pytest.fixture(scope="module")
def ask():
    """The ledger's answers to some histories: the driver program of the build."""
    driver = build_folder() / "tests/ledger_fold"
    if not driver.is_file():
        text = f"NOT TESTED: {driver.name} is not built"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)

    def answers(histories: list[History]) -> list[str]:
        done = subprocess.run([driver], input="".join(map(written, histories)), capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr
        found = [text + END for text in done.stdout.split(END)[:-1]]
        assert len(found) == len(histories)
        return found

    return answers


def shortened(history: History, ask) -> History:
    """Without every reading that the difference does not need."""
    size = max(1, len(history.arrivals) // 2)
    while size:
        at = 0
        while at < len(history.arrivals):
            shorter = replace(history, arrivals=history.arrivals[:at] + history.arrivals[at + size:])
            if answer(shorter) != ask([shorter])[0]:
                history = shorter
            else:
                at += size
        size //= 2
    return history


def told(name: str, history: History, ask) -> str:
    history = shortened(history, ask)
    model, ledger = answer(history).splitlines(), ask([history])[0].splitlines()
    only_model, only_ledger = [line for line in model if line not in ledger], [line for line in ledger if line not in model]
    return f"{name}: only the model says {only_model}, only the ledger {only_ledger}, of\n{written(history)}"


def test_the_ledger_and_the_model_agree_on_the_table_of_faults(ask):
    cases = [*faults.CASES, faults.ROW_28, faults.CHILD_17]
    histories = [History(case.meter(), case.readings(), from_ms=faults.DAY, until_ms=faults.DAY + 5 * faults.DAY_MS) for case in cases]
    for case, history, ledger in zip(cases, histories, ask(histories)):
        assert ledger == answer(history), told(f"row {case.row}", history, ask)


@pytest.mark.parametrize("is_telling", [False, True], ids=["anything", "telling"])
def test_the_ledger_and_the_model_agree_on_any_mixture_of_faults(ask, is_telling):
    print(f"PARKMON_SEED={SEED}")
    drawn = mixtures(SEED, READINGS // 2, is_telling)
    while some := list(islice(drawn, AT_ONCE)):
        for (seed, made), ledger in zip(some, ask([made.history for _, made in some])):
            assert ledger == answer(made.history), told(f"seed {seed} ({', '.join(made.faults)})", made.history, ask)


@pytest.mark.parametrize("is_telling", [False, True], ids=["anything", "telling"])
def test_the_ledger_and_the_model_agree_on_what_persons_decide(ask, is_telling):
    print(f"PARKMON_SEED={SEED}")
    drawn = mixtures(SEED, READINGS // 2, is_telling)
    found = set()
    while some := list(islice(drawn, AT_ONCE)):
        histories = [decided(made.history, seed) for seed, made in some]
        for (seed, made), history, ledger in zip(some, histories, ask(histories)):
            assert ledger == answer(history), told(f"seed {seed} ({', '.join(made.faults)})", history, ask)
            found |= {word for word in ("event stated", "idle", "manual", "event open_exception") if word in ledger}
    assert found == {"event stated", "idle", "manual", "event open_exception"}  # or they would agree on nothing
