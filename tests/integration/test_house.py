"""The rules of the house that a machine can see: who includes whom, one wrapper for each library, sizes, registration, examples."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from harness.parkmon import build_folder
from harness.process import run
from harness.servers import SOURCE

# Each third-party header and the one file that may see it (a private header belongs to its module).
WRAPPERS = {
    "sqlite3.h": {"lib/db.c"},
    "MQTTAsync.h": {"lib/mqtt.c"},
    "openssl/evp.h": {"lib/hash.c"},
    "openssl/crypto.h": {"lib/hash.c"},
    "openssl/pem.h": {"lib/certificate.c"},
    "zlib.h": {"lib/pack.c"},
    "curl/curl.h": {"lib/http_client.c"},
    "libical/ical.h": {"lib/ical.c"},
    "libconfig.h": {"lib/conf_private.h"},
    "jansson.h": {"lib/json.h"},
    "xlsxwriter.h": {"collector/report/write_xlsx.c"},
    "qrencode.h": {"collector/web/qr.c"},
    "microhttpd.h": {"collector/web/server.c"},
    "modbus.h": {"agent/drivers/modbus_tcp.c"},
    "modbus/modbus.h": {"agent/drivers/modbus_tcp.c"},
}
PURE_DOMAINS = ("ledger", "energy", "baseline", "space", "instrument", "alarm")
MAY_ALSO = {"energy": ("collector/ledger/",),  # amounts are made of the ledger's quarter hours
            "baseline": ("collector/energy/", "collector/space/")}  # days are made of their quarter hours
LONGEST_FILE = 800
TEXT_FILES = {".c", ".h", ".py", ".js", ".css", ".html", ".sh", ".cmake"}
OUTSIDE = {"build", ".git", "node_modules"}


def files(*folders: str, suffixes: set[str]) -> list[Path]:
    return sorted(path for folder in folders for path in (SOURCE / folder).rglob("*")
                  if path.is_file() and path.suffix in suffixes
                  and not OUTSIDE & set(path.relative_to(SOURCE).parts))


def c_files() -> list[Path]:
    found = files("lib", "agent", "collector", suffixes={".c", ".h"})
    assert len(found) > 20, "the rules would pass on nothing"
    return found


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def includes(path: Path) -> list[str]:
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE)


def code_of(path: Path) -> str:
    """Without comments and the contents of strings."""
    text = re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.DOTALL)
    text = re.sub(r"//[^\n]*", " ", text)
    return re.sub(r'"(\\.|[^"\\\n])*"', '""', text)


def test_lib_knows_neither_program_and_the_programs_not_each_other():
    forbidden = {"lib": ("agent/", "collector/"), "agent": ("collector/",), "collector": ("agent/",)}
    wrong = [f"{name_of(path)} includes {header}" for path in c_files() for header in includes(path)
             if header.startswith(forbidden[path.relative_to(SOURCE).parts[0]])]
    assert not wrong


def test_a_domain_includes_only_the_model_and_lib():
    allowed = ("lib/", "collector/model/")
    wrong = []
    for domain in PURE_DOMAINS:
        for path in files(f"collector/{domain}", suffixes={".c", ".h"}):
            wrong += [f"{name_of(path)} includes {header}" for header in includes(path)
                      if header.startswith(("agent/", "collector/"))
                      and not header.startswith((*allowed, f"collector/{domain}/", *MAY_ALSO.get(domain, ())))]
    assert not wrong


def test_own_headers_are_included_by_their_name_from_the_root():
    wrong = []
    for path in c_files():
        for line in re.findall(r'^\s*#\s*include\s*"([^"]+)"', path.read_text(), re.MULTILINE):
            if not (SOURCE / line).is_file():
                wrong.append(f"{name_of(path)} includes {line}")
    assert not wrong


@pytest.mark.parametrize("header", sorted(WRAPPERS))
def test_a_library_is_seen_by_one_file_of_ours(header):
    users = {name_of(path) for path in c_files() if header in includes(path)}
    assert users <= WRAPPERS[header]


def test_no_struct_has_a_typedef():
    wrong = [name_of(path) for path in c_files() if re.search(r"\btypedef\s+(struct|union|enum)\b", code_of(path))]
    assert not wrong


def test_nothing_sleeps():
    call = re.compile(r"\b(sleep|usleep|nanosleep|clock_nanosleep|thrd_sleep)\s*\(")
    paths = c_files() + files("tests/unit", suffixes={".c", ".h"})
    wrong = [f"{name_of(path)}: {found.group(1)}" for path in paths for found in call.finditer(code_of(path))]
    assert not wrong


def test_every_header_is_guarded_once():
    wrong = [name_of(path) for path in c_files() if path.suffix == ".h" and "#pragma once" not in path.read_text()]
    assert not wrong


def test_no_file_is_longer_than_a_reader_can_hold():
    wrong = []
    for path in files("lib", "agent", "collector", "tests", "config", "dashboards", suffixes=TEXT_FILES):
        lines = path.read_bytes().count(b"\n")
        if lines > LONGEST_FILE:
            wrong.append(f"{name_of(path)}: {lines} lines")
    assert not wrong


def test_every_unit_test_file_is_registered():
    listed = subprocess.run(["ctest", "--test-dir", build_folder(), "--show-only=json-v1"], capture_output=True, text=True,
                            check=True, timeout=60)
    registered = {test["name"] for test in json.loads(listed.stdout)["tests"]}
    expected = {f"unit.{path.parent.name}.{path.stem}" for path in files("tests/unit", suffixes={".c"})
                if path.name.startswith("test_")}
    assert expected and expected <= registered
    stray = [name_of(path) for path in files("tests/unit", suffixes={".c"}) if not path.name.startswith("test_")
             and "main(" in code_of(path)]
    assert not stray, "a program that no one runs"


def test_examples_exist():
    for name in ("agent.cfg", "collector.cfg", "park.cfg", "factors.cfg", "tariffs.cfg", "alarms.cfg", "broker/mosquitto.conf", "broker/acl"):
        assert (SOURCE / "config" / name).is_file(), name
    assert list((SOURCE / "config/meters").glob("*.cfg")), "no register map"


def test_no_text_names_a_path_of_a_machine():
    # Assembled here, so that this file passes its own rule.
    places = ["/" + "work/", "/" + "root/", "/" + "home/", "/tmp/" + "team"]
    wrong = []
    for path in files("lib", "agent", "collector", "config", "dashboards", "tests",
                      suffixes=TEXT_FILES | {".md", ".json", ".cfg", ".conf", ".txt", ""}):
        text = path.read_text(errors="replace")
        wrong += [f"{name_of(path)}: {place}" for place in places if place in text]
    assert not wrong


def test_scripts_are_executable():
    for name in ("tests/run", ".ci/run", "tests/bench/run", "tests/bench/get-telegraf", "config/demo/run", "config/demo/install"):
        assert (SOURCE / name).stat().st_mode & 0o111, name
        assert run(["bash", "-n", SOURCE / name]).returncode == 0, name
