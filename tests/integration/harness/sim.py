"""The simulated park (tests/sim) as a child, and what it knows: settings for agents, the park model, history, its log."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from harness.process import Failure, Program, run
from harness.servers import SOURCE, Broker

PYTHON = "/usr/bin/python3"
ENVIRONMENT = {"PYTHONPATH": str(SOURCE / "tests"), "PYTHONDONTWRITEBYTECODE": "1"}


def command(*words) -> list[str]:
    return [PYTHON, "-m", "sim", *(str(word) for word in words)]


class Sim(Program):
    """`sim serve` with the park of a seed, or `sim record` with the arguments `record` (["--csv", FILE, ...]).

    `log_of_answers` is its own account, the oracle of tests: read it with sim.answers.
    """

    stop_seconds = 5.0

    def __init__(self, folder: Path, seed: int = 7, record: list[str] | None = None, *more: str):
        self.seed = seed
        self.record = record
        self.ports_file = folder / "ports.json"
        self.log_of_answers = folder / "answers.jsonl"
        self.control_socket = folder / "control"
        mode = ["record", *record] if record else ["serve", "--seed", seed]
        super().__init__("sim", folder, command(*mode, "--log", self.log_of_answers, "--ports-file", self.ports_file,
                                                "--control-socket", self.control_socket, *more), ENVIRONMENT)

    def launch(self) -> None:
        self.ports_file.unlink(missing_ok=True)
        super().launch()

    def is_ready(self) -> bool:
        return self.ports_file.exists() and self.listens(*self.ports.values())

    @property
    def ports(self) -> dict[str, int]:
        """The Modbus TCP port of each gateway's devices; others after each start."""
        return json.loads(self.ports_file.read_text())

    def run(self, *words, seconds: float = 300.0) -> str:
        """One of its other commands, to the end; what it printed."""
        done = run(command(*words), seconds, env={**os.environ, **ENVIRONMENT})
        if done.returncode != 0:
            raise Failure(f"sim {words[0]}: exit code {done.returncode}\n{done.stderr}")
        return done.stdout

    def write_settings(self, folder: Path, broker: Broker, every: float | None = None, commit: float = 0.2,
                       timeout: float = 5.0, more: tuple = ()) -> list[Path]:
        """Settings of an agent for each gateway, their passwords, and park.cfg. Returns the agents' files.

        An answer that comes after the agent's `timeout` is in the devices' log and nowhere else: on a busy machine it is long.
        """
        chosen = self.record or ["--seed", self.seed]
        period = ["--every", every] if every else []
        self.run("config", *chosen, "--ports", self.ports_file, "--out", folder, "--broker-port", broker.port,
                 "--commit", commit, "--timeout", timeout, *period, *more)
        for gateway in self.ports:
            password = folder / f"{gateway}.password"
            password.unlink(missing_ok=True)
            password.symlink_to(broker.password_file(gateway))
        return [folder / f"{gateway}.cfg" for gateway in self.ports]

    def fault(self, kind: str, *words) -> None:
        """Plays a fault of sim.modbus, for example fault("slow", "--unit", 3, "--seconds", 2); "none" ends it."""
        self.run("fault", "--control-socket", self.control_socket, *words, kind)

    def write_history(self, path: Path, gateway: str, since: str, until: str, step: float, *more: str) -> Path:
        """The readings of a gateway between two times, for park-agent --replay."""
        with open(path, "w") as file:
            subprocess.run(command("history", "--seed", self.seed, "--gateway", gateway, "--from", since, "--to", until,
                                   "--step", step, *more), stdout=file, stdin=subprocess.DEVNULL, check=True, timeout=300,
                           env={**os.environ, **ENVIRONMENT})
        return path
