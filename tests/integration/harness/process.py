"""One child process: started, awaited, stopped, killed, started again; its output kept in a file."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
TCP_ESTABLISHED = "01"
TCP_LISTEN = "0A"


class Failure(Exception):
    """A program did not do what it should; the text is for people."""


def free_port() -> int:
    """A loopback port that nobody uses now. Whoever takes it checks with `listens` that it got it.

    It is below those that the system hands out for connections: one of these could be made before the listener is there.
    """
    while True:
        port = random.SystemRandom().randrange(10000, 32768)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_until(condition: Callable[[], object], seconds: float, what: str, poll: float = 0.02):
    """Returns the first true value of `condition`; fails when there is none within `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"not within {seconds} s: {what}")
        time.sleep(poll)


def socket_inodes(pid: int) -> set[str]:
    """The sockets that this process holds open."""
    inodes = set()
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(entry.path)
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    except OSError:
        pass
    return inodes


def tcp_sockets(pid: int) -> list[tuple[str, int, int]]:
    """State, local and remote port of this process's TCP sockets, and of no other's; in its own network namespace."""
    inodes = socket_inodes(pid)
    found = []
    for table in (f"/proc/{pid}/net/tcp", f"/proc/{pid}/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[9] in inodes:
                found.append((fields[3], int(fields[1].rsplit(":", 1)[1], 16), int(fields[2].rsplit(":", 1)[1], 16)))
    return found


class Program:
    """A child with a name, a command and a log file. Subclasses say when it is ready."""

    start_seconds = 20.0
    stop_seconds = 15.0

    def __init__(self, name: str, folder: Path, command: list[str], environment: dict[str, str] | None = None):
        self.name = name
        self.folder = folder
        self.command = [str(word) for word in command]
        self.environment = environment or {}
        self.log_path = folder / f"{name}.log"
        self.process: subprocess.Popen | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_ready(self) -> bool:
        """Called again and again after the start; a subclass answers."""
        return True

    def launch(self) -> None:
        """Starts the child and returns at once."""
        assert not self.is_running, f"{self.name} runs already"
        parent = os.getpid()

        def with_parent():
            # A Ctrl-C is for the parent, which ends its children in order; one that is killed leaves nothing behind.
            os.setpgid(0, 0)
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.environment}, preexec_fn=with_parent)

    def start(self) -> "Program":
        """Starts the child and returns when it is ready."""
        self.launch()
        self.wait_ready()
        return self

    def wait_ready(self) -> None:
        def ready_or_dead():
            if not self.is_running:
                raise Failure(f"{self.name} ended with {self.describe_end()} before it was ready\n{self.log_tail()}")
            return self.is_ready()

        try:
            wait_until(ready_or_dead, self.start_seconds, f"{self.name} is ready")
        except Failure as failure:
            self.kill()
            raise Failure(f"{failure}\nlog {self.log_path}:\n{self.log_tail()}") from None

    def listens(self, *ports: int) -> bool:
        return self.is_running and set(ports) <= {local for state, local, _ in tcp_sockets(self.pid) if state == TCP_LISTEN}

    def is_connected_to(self, port: int) -> bool:
        return self.is_running and any(state == TCP_ESTABLISHED and remote == port
                                       for state, _, remote in tcp_sockets(self.pid))

    def describe_end(self) -> str:
        assert self.process is not None
        code = self.process.poll()
        if code is None:
            return "still running"
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def wait(self, seconds: float) -> int:
        """Waits for the end and returns the exit code."""
        assert self.process is not None
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} still runs after {seconds} s\n{self.log_tail()}") from None

    def stop(self, expect: int | None = 0) -> None:
        """SIGTERM; it must end in time, with the exit code `expect` (None = any)."""
        if not self.is_running:
            return
        assert self.process is not None
        self.process.terminate()
        try:
            code = self.process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"{self.name} did not end within {self.stop_seconds} s of SIGTERM\n{self.log_tail()}") from None
        if expect is not None and code != expect:
            raise Failure(f"{self.name} ended with {self.describe_end()}, not {expect}\n{self.log_tail()}")

    def kill(self) -> None:
        """SIGKILL, and reaped."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()

    def restart(self) -> None:
        """Stopped in order and started again."""
        self.stop()
        self.start()

    def pause(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self, lines: int = 40) -> str:
        return "\n".join(self.log().splitlines()[-lines:])


def run(command: list[str], seconds: float = 60.0, **options) -> subprocess.CompletedProcess:
    """Runs a command to its end, bounded; its output as text, whatever its exit code."""
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=seconds, check=False, **options)
