"""An evidence bundle of a year of many meters: written, and worked out again from the file alone."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

from figures import Figure
from harness.parkmon import release_folder
from harness.servers import SOURCE


def took(*words) -> tuple[float, float, float, str]:
    """Seconds of its own CPU and by the clock, MiB at the peak, and what it printed."""
    began = time.monotonic()
    child = subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, text=True)
    said = child.stdout.read()
    _, code, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(code)
    child.stdout.close()
    if child.returncode != 0:
        raise AssertionError(f"{words[1]} ended with {child.returncode}")
    return used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1024, said


def measure(stage, size) -> list[Figure]:
    meters, days, every_ms = (10, 365, 900_000) if size.readings < 1_000_000 else (150, 365, 900_000)
    folder = Path(stage.folder)
    subprocess.run([release_folder() / "tests/bench/bench_evidence", folder, *map(str, (meters, days, every_ms))], check=True, timeout=1800)
    settings, bundle = folder / "collector.cfg", folder / "evidence.zip"
    settings.write_text(f'id = "bench"; park = "{folder}/park.cfg"; broker: {{ host = "127.0.0.1"; }}; database: {{ path = "{folder}/evidence.db"; }};\n'
                        f'store: {{ url = "http://127.0.0.1:1"; database = "x"; }}; http: {{ web = "{release_folder()}/pages"; }};\n')
    program = release_folder() / "collector/park-collector"
    write_cpu, write_s, write_mib, _ = took(program, "evidence", "--config", settings, "--site", "s", "--period", "2026", "-o", bundle)
    check_cpu, check_s, check_mib, said = took(program, "verify", "--evidence", bundle)
    quarters, readings = (int(re.search(rf"(\d+) {word}", said).group(1)) for word in ("quarter hours", "readings"))
    expected = meters * days * 96
    if (quarters, readings) != (expected, expected + meters):
        raise AssertionError(f"the bundle has {quarters} quarter hours of {readings} readings")
    what = f"bundle of a year of {meters} meters, a reading each quarter hour"
    return [Figure("evidence", f"{what}: written, own CPU", "s", write_cpu, runs=[write_cpu], sent=readings, stored=readings,
                   note=f"{write_s:.0f} s by the clock; at the peak {write_mib:.0f} MiB; {bundle.stat().st_size / 2**20:.0f} MiB of file, {quarters} quarter hours"),
            Figure("evidence", f"{what}: worked out again, own CPU", "s", check_cpu, runs=[check_cpu], sent=readings, stored=readings,
                   note=f"{check_s:.0f} s by the clock; at the peak {check_mib:.0f} MiB; every figure comes out")]
