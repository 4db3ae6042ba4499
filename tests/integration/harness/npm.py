"""What tests need of npm (tests/package.json), as its lock says, in the build's folder: the sources stay as they are."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from harness.parkmon import build_folder
from harness.process import Failure, run
from harness.servers import SOURCE


def modules() -> Path:
    """The folder node_modules, installed where it is not, or not as the lock says. Raises LookupError where there is no npm."""
    if shutil.which("npm") is None:
        raise LookupError("the program npm is not installed")
    folder = build_folder().parent / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    lock = (SOURCE / "tests/package-lock.json").read_text()
    with open(folder / "busy", "w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)  # of two runs of tests one installs
        done = folder / "installed"
        if not done.exists() or done.read_text() != lock:
            done.unlink(missing_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(SOURCE / "tests" / name, folder / name)
            # No script of a package is run.
            installed = run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder], 300, cwd=folder, env=dict(os.environ))
            if installed.returncode != 0:
                raise Failure(f"npm ci: exit code {installed.returncode}\n{installed.stderr[-2000:]}")
            done.write_text(lock)
    return folder / "node_modules"
