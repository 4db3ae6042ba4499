"""What a process has used, as the kernel counts it."""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path

from harness.process import LIBC, wait_until

REST_S = 0.02  # a second of rest costs less than this


def cpu_s(pid: int) -> float:
    """User and system time of all its threads, also of those that have ended."""
    clock = ctypes.c_int()
    error = LIBC.clock_getcpuclockid(pid, ctypes.byref(clock))
    if error != 0:
        raise OSError(error, f"the processor time of process {pid}: {os.strerror(error)}")
    return time.clock_gettime(clock.value)


def memory_mib(pid: int) -> dict[str, float]:
    """VmHWM (the peak), VmRSS, RssAnon and others, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: int(rest.split()[0]) / 1024 for name, _, rest in (line.partition(":") for line in lines)
            if rest.strip().endswith(" kB")}


def wait_resting(pid: int, seconds: float) -> None:
    """Until it has used next to nothing for a second: what it had to do is done. Asking it would cost it time."""
    seen = [cpu_s(pid)]

    def is_resting() -> bool:
        seen.append(cpu_s(pid))
        return len(seen) > 10 and seen[-1] - seen[-11] < REST_S

    wait_until(is_resting, seconds, "it rests", poll=0.1)
