"""The bench measures what it says: its small loads arrive in the store as they were sent, and its figures have the promised shape."""

from __future__ import annotations

import json
import os

import pytest
from harness.parkmon import release_folder
from harness.process import run
from harness.servers import SOURCE

BENCH = SOURCE / "tests/bench/run"
ROWS = ("store", "cpu", "agent", "backlog", "fold", "amounts", "report", "books", "evidence", "availability")


@pytest.mark.parametrize("row", ROWS)
def test_a_row_of_the_bench_has_figures_and_its_load_arrived(row, tmp_path):
    path = tmp_path / "bench.json"
    done = run([BENCH, "--quick", "--row", row, "--json", path], 240, env={**os.environ, "PARKMON_RELEASE": str(release_folder())})
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(path.read_text())
    assert result["size"] == "quick" and result["machine"]["cores"] == os.cpu_count()
    assert result["figures"]
    for figure in result["figures"]:
        assert figure["row"] == row and figure["name"] in done.stdout
        if figure["value"] is None:
            assert figure["is_optional"] and ("absent" in figure["note"] or "not here yet" in figure["note"])
            continue
        assert figure["value"] > 0 and figure["unit"] and figure["reference"]
        assert (figure["bar_holds"] is None) == (figure["bar"] is None)
        assert figure["sent"] > 0
        if "Telegraf" not in figure["name"]:
            assert figure["stored"] == figure["sent"]


def test_the_bench_refuses_what_it_does_not_know():
    assert run([BENCH, "--row", "nothing"], 60, env={**os.environ, "PARKMON_RELEASE": str(release_folder())}).returncode == 64
    done = run([BENCH, "--help"])
    assert done.returncode == 0 and "--row" in done.stdout
