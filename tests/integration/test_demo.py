"""config/demo/run as a person runs it: it comes up, is verified, and leaves nothing behind however it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.request
from html import unescape
from pathlib import Path

import pytest
from harness.process import wait_until
from harness.servers import SOURCE

DEMO = SOURCE / "config/demo/run"
UP = "Ctrl-C ends it"


def commands_that_name(folder: Path) -> list[str]:
    """The command lines of processes that were given a path in this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if str(folder).encode() in command:
            found.append(command.replace(b"\0", b" ").decode())
    return found


@pytest.fixture
def demo(tmp_path):
    """Starts the demo with its temporary folders in tmp_path; the output is in tmp_path/out."""
    started = []
    temporary = tmp_path / "tmp"
    temporary.mkdir()

    def start(*words) -> subprocess.Popen:
        with open(tmp_path / "out", "w") as out:
            process = subprocess.Popen([DEMO, "--yes", *words], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                       env={**os.environ, "TMPDIR": str(temporary)}, start_new_session=True)
        started.append(process)
        return process

    start.temporary = temporary
    start.output = lambda: (tmp_path / "out").read_text()
    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def wait_up(demo, process) -> None:
    wait_until(lambda: UP in demo.output() or process.poll() is not None, 300, "the demo is up", poll=0.1)
    assert process.poll() is None, demo.output()


def assert_may_act(output: str) -> None:
    """With the token that is printed for it each form of operators opens: none says which scope is missing."""
    url = re.search(r"live page +(\S+)/ops\n", output)[1]
    token = Path(re.search(r"to act .* with the token in (\S+)\n", output)[1])
    assert token.stat().st_mode & 0o077 == 0
    texts = json.loads((SOURCE / "dashboards/web/en.json").read_text())
    needs = {"/ops/alarms": "needs_alarms", "/ops/decide?kind=outlier&": "needs_decisions", "/ops/reading": "needs_readings", "/ops/outage?act=open&kind=broken&": "needs_outages"}
    for headers, is_missing in (({}, True), ({"Authorization": f"Bearer {token.read_text().strip()}"}, False)):
        for path, needed in needs.items():
            with urllib.request.urlopen(urllib.request.Request(f"{url}{path}{'' if '?' in path else '?'}lang=en", headers=headers), timeout=20) as answer:
                assert (texts[needed] in unescape(answer.read().decode())) == is_missing, path


def test_it_comes_up_is_verified_and_leaves_nothing(demo):
    process = demo("--smoke")
    assert process.wait(300) == 0, demo.output()
    output = demo.output()
    assert "two months of history are in InfluxDB" in output and "verified" in output
    assert "2 exceptions of meters in " in output and " says of 24 meters what their registers counted" in output
    assert " is closed\n" in output and " are an adjusting entry of " in output
    assert output.count("/audit/jiashan/") == 2
    assert not commands_that_name(demo.temporary)
    assert not list(demo.temporary.iterdir()), "the private folder is still there"


def test_a_signal_ends_what_was_started_and_kept_data_is_used_again(demo, tmp_path):
    kept = tmp_path / "kept"
    process = demo("--keep", kept)
    wait_up(demo, process)
    assert_may_act(demo.output())
    assert len(commands_that_name(kept)) >= 6, "broker, store, simulator, two agents, collector"
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 0, demo.output()
    for name in ("gw-a", "gw-b", "sim", "collector", "broker", "influxdb"):
        assert f"ended {name} (exit code 0)" in demo.output()
    assert not commands_that_name(kept)

    assert demo("--keep", kept, "--smoke").wait(300) == 0, demo.output()
    assert "the history is there already" in demo.output()
    assert not commands_that_name(kept)


def test_a_program_that_dies_ends_the_demo_with_a_line_that_names_its_log(demo):
    process = demo()
    wait_up(demo, process)
    broker = next(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()
                  and str(demo.temporary).encode() in (command := (entry / "cmdline").read_bytes()) and b"mosquitto" in command)
    os.kill(broker, signal.SIGKILL)
    assert process.wait(60) == 69, demo.output()
    assert "broker ended unexpectedly with signal 9; its log is " in demo.output()
    assert not commands_that_name(demo.temporary)


@pytest.mark.parametrize("words", [["--bad"], ["--keep"]])
def test_a_mistake_on_the_command_line_is_usage(words):
    done = subprocess.run([DEMO, *words], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 64 and "config/demo/run" in done.stderr
