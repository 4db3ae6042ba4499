"""The campaign of faults: short in every run, long with PARKMON_LONG=1; see campaign/__init__.py.

PARKMON_SEED sets the seed, PARKMON_FAULTS the number of faults. The table is printed; the same as JSON lies in the build
folder as campaign.json.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from campaign.faults import KINDS
from harness.parkmon import build_folder
from harness.process import Program, run

FOLDER = Path(__file__).resolve().parent
IS_LONG = os.environ.get("PARKMON_LONG") == "1"
SEED = int(os.environ.get("PARKMON_SEED", 20261125))
FAULTS = int(os.environ.get("PARKMON_FAULTS", 1000 if IS_LONG else 40))
STRIKES_LEAST = 5  # of each kind with batches in flight, in a long run


@pytest.fixture(scope="module", autouse=True)
def leave():
    """Namespaces, a mount and a packet filter: root has them, a container may not."""
    done = run(["unshare", "--net", "--mount", "sh", "-ec",
                "mount -t tmpfs none /mnt; nft add table inet campaign; ip link add near0 type veth peer name far0"])
    if done.returncode != 0:
        pytest.skip(f"NOT TESTED: the campaign of faults needs leave to make namespaces, to mount and to filter: {done.stderr.strip()}")


def campaign(folder: Path, *words, seconds: float) -> tuple[int, str]:
    """A run to its end: exit code and output. It is a program of its own because it changes its namespaces."""
    program = Program("campaign", folder, [sys.executable, "-m", "campaign.run", "--folder", folder / "run", *words],
                      {"PYTHONPATH": str(FOLDER), "PYTHONDONTWRITEBYTECODE": "1"})
    program.launch()
    try:
        return program.wait(seconds), program.log()
    finally:
        program.kill()


def test_no_reading_is_lost_or_doubled_whatever_fails(tmp_path, capsys):
    result = build_folder() / "campaign.json"
    code, output = campaign(tmp_path, "--seed", SEED, "--faults", FAULTS, "--json", result, seconds=60 + 3 * FAULTS)
    with capsys.disabled():
        print(f"\n{output}")
    assert code == 0
    if IS_LONG:
        kinds = json.loads(result.read_text())["kinds"]
        few = {kind: kinds[kind]["in_flight"] if kind in kinds else 0 for kind in KINDS}
        few = {kind: count for kind, count in few.items() if count < STRIKES_LEAST}
        assert not few, f"too few of these struck batches in flight: {few}"


def test_the_oracle_sees_each_way_to_break_a_good_run(tmp_path):
    code, output = campaign(tmp_path, "--faults", 4, "--only", "agent killed", "--only", "broker killed", "--break-evidence", seconds=90)
    assert code == 0, output


def test_a_store_that_swallows_writes_does_not_pass(tmp_path):
    code, output = campaign(tmp_path, "--faults", 2, "--only", "agent killed", "--lie", seconds=90)
    assert code == 1
    assert "journalled readings are not in the store" in output, output
