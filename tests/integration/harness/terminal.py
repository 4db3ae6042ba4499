"""A program on a terminal, as slow as on a machine that has no time for it."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time

RUNS_S, STANDS_S = 0.01, 0.2


class OnTerminal:
    """A child whose stderr is a terminal; what it says there is in `said`."""

    def __init__(self, command: list, stdout: int = subprocess.DEVNULL):
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen([str(word) for word in command], stdout=stdout, stderr=theirs, text=True)
        os.close(theirs)
        self.said = b""

    def read(self, seconds: float) -> None:
        if select.select([self.ours], [], [], seconds)[0]:
            self.said += os.read(self.ours, 4096)

    def slowly_until(self, shown: bytes, seconds: float = 120) -> None:
        """Lets it run for a moment now and then, so that little work takes long, until it has said this; it stands still then."""
        deadline = time.monotonic() + seconds
        while not re.search(shown, self.said):
            assert time.monotonic() < deadline and self.process.poll() is None, self.said
            self.process.send_signal(signal.SIGCONT)
            self.read(RUNS_S)
            self.process.send_signal(signal.SIGSTOP)
            self.read(STANDS_S)

    def interrupt(self) -> tuple[int, str]:
        """Goes on, and is interrupted: exit code and what it wrote to its stdout, where that is a pipe."""
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGINT)
        wrote, _ = self.process.communicate(timeout=60)
        while not self.said.endswith(b"park-collector: stopped\r\n"):
            self.said += os.read(self.ours, 4096)
        os.close(self.ours)
        return self.process.returncode, wrote or ""
