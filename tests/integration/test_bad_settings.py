"""Bad input: what the programs say about wrong settings, line by line, and how they end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from harness.parkmon import build_folder
from harness.process import run
from harness.servers import SOURCE

USAGE, UNAVAILABLE, IO, CONFIG = 64, 69, 74, 78
AGENT = build_folder() / "agent/park-agent"
COLLECTOR = build_folder() / "collector/park-collector"
NOBODY = 65534
WEB = build_folder() / "pages"

SECRET = "expected a file with the password in its first line, which only its owner and group may read"
WORD = '{0} is neither a number nor in quotes; expected "{0}" or a number such as 10, 0.5, 0x1f'
POINT_KEYS = "name, kind, function, address, type, bit, order, scale, unit, base, states, invalid"
TYPES = "u16, s16, u32, s32, u64, s64, f32, f64, bcd16, bcd32, bcd64, bit"

GOOD_AGENT = """gateway = "gw-a";
spool: { path = "spool"; };
buses = ( { name = "b"; driver = "modbus_tcp"; host = "127.0.0.1"; devices = (
  { name = "d"; prefix = "p"; points = ( { kind = "gauge"; address = 1; type = "u16"; unit = "W"; } ); } ); } );
"""
GOOD_COLLECTOR = f"""park = "park.cfg";
database: {{ path = "db"; }};
http: {{ web = "{WEB}"; }};
"""
GOOD_PARK = 'sites = ( { id = "s"; name = "园"; name_en = "S"; zone = "Asia/Shanghai"; } );\n'

BAD_AGENT = """gateway = "GW A";
clock = "sundial";
log = 5;
colour = "red";
broker: {
  host = "";
  port = 3000000000;
  port = 1884;
  keep_alive = 4.9;
  user = localhost;
  password_file = "missing.password";
};
spool: {
  path = "no/such/folder/spool";
  limit = 1.5;
  commit = "2";
  probe = 0.1005;
};
   @include "more.cfg"
buses = (
  { name = "one"; driver = "modbus_tcp"; host = "10.0.0.1"; port = 0xffffffff;
    timeout = 10s;
    devices = (
      { name = "m1"; prefix = "b1"; every = -1; map = "meter.map"; },
      { name = "m1"; prefix = "b2"; unit = 99999999999999999999;
        points = (
          { name = "x"; kind = "register"; address = 0; type = "u33"; unit = "kWh"; },
          { name = "x"; kind = "counter"; address = 1; type = "u16"; unit = "W"; },
          { name = "y"; kind = "gauge"; address = 70000; type = "u16"; unit = "kWh"; },
          { name = "Z"; kind = "gauge"; address = 1; type = "u16"; unit = "k" "W"; },
          { name = "s"; kind = "state"; function = "coil"; address = 1; type = "bit"; states = ["off", 1]; }
        ); }
      { name = "m2"; prefix = "b3"; map = "nowhere.map"; }
    ); },
  { name = "one"; driver = "modbus_rtu"; device = "/dev/ttyS0"; devices = (
      { name = "m3"; prefix = "b4"; slave = 3; map = "meter.map"; } ); },
  { name = "three"; driver = "modbus_tcp"; host = "x; devices = (); },
  5
);
"""
BAD_AGENT_LINES = f"""1: gateway: "GW A" is not an id; expected 1 to 32 of a-z 0-9 and -, not starting with -
2: clock: "sundial" is not known; expected one of kernel, trusted
3: log: is an integer; expected one of error, warn, info, debug
4: colour: unknown key; expected one of gateway, clock, log, broker, spool, buses, sources
6: broker.host: is empty; expected name or address of the MQTT broker
7: broker.port: 3000000000 is out of range; expected 1 to 65535
8: broker.port: is set a second time (first in line 7); expected once
9: broker.keep_alive: 4.9 s is out of range; expected 5 to 3600 s
10: broker.user: {WORD.format("localhost")}
11: broker.password_file: {{folder}}/missing.password: No such file or directory; {SECRET}
14: spool.path: {{folder}}/no/such/folder: No such file or directory; expected an existing folder for {{folder}}/no/such/folder/spool
15: spool.limit: is a number with a fraction; expected an integer
16: spool.commit: is a string; expected a number of seconds
17: spool.probe: 0.1005 s is finer than a millisecond; expected seconds such as 10, 0.5 or 0.025
19: @include is not supported; expected one file (register maps are shared with `map`)
21: buses[0].port: 4294967295 is out of range; expected 1 to 65535
22: buses[0].timeout: {WORD.format("10s")}
24: buses[0].devices[0].every: -1 s is out of range; expected 0.005 to 86400 s
25: buses[0].devices[1].unit: 99999999999999999999 is too large; expected an integer of at most 64 bits
25: buses[0].devices[1].name: device "m1" is also at line 24; expected once
27: buses[0].devices[1].points[0].type: "u33" is not known; expected one of {TYPES}
28: buses[0].devices[1].points[1].kind: "counter" is not known; expected one of register, gauge, state
28: buses[0].devices[1].points[1].name: point "b2.x" is also at line 27; expected once
29: buses[0].devices[1].points[2].address: 70000 is out of range; expected 0 to 65535
29: buses[0].devices[1].points[2].unit: "kWh" does not fit kind gauge; expected one of *
30: buses[0].devices[1].points[3].unit: a second string follows; expected one, or a list: ["a", "b"]
30: buses[0].devices[1].points[3].name: makes the point "b2.Z"; expected 1 to 64 of a-z 0-9 . _ -, starting with a letter or digit
31: buses[0].devices[1].points[4].states: holds an integer; expected a list of strings: ["a", "b"]
33: buses[0].devices[2]: a comma is missing before this entry; expected one between two entries
33: buses[0].devices[2].map: {{folder}}/nowhere.map: No such file or directory; expected a readable file
35: buses[1].driver: "modbus_rtu" is not known; expected one of modbus_tcp
35: buses[1].name: bus "one" is also at line 21; expected once
37: buses[2].host: "x is not closed; expected a second " in the same line
37: buses[2].devices: has 0 entries; expected at least 1
38: buses[3]: is not a group; expected {{{{ key = value; ... }}}}
"""

BAD_MAP = """points = [
  { kind = "register"; address = 1; type = "u32"; unit = "parsec"; },
  { name = "p"; kind = "gauge"; addres = 1; type = "u32"; unit = "W"; },
  { name = "p"; kind = "gauge"; address = 0x10; type = "u32"; unit = "W"; scale = 0.1; },
];
unit = 5;
"""
BAD_MAP_LINES = f"""2: points[0].unit: "parsec" is not known; expected one of *
3: points[1].address: is missing; expected *
3: points[1].addres: unknown key; expected one of {POINT_KEYS}
4: points[2].scale: is a number with a fraction; expected an exact number as a string, such as "0.01" or "1000/5"
4: points[2].name: point "p" is in this map twice; expected once
6: unit: unknown key; expected one of points
"""

BAD_COLLECTOR = """id = "-main";
park = "bad-park.cfg";
log = "loud";
colour = "red";
broker: { port = 0; password_file = "open.password"; keep_alive = 3601; };
database: {
  path = "folder";
  limit = 99999999999;
  evidence_days = 0; audit_years = 101;
};
store: {
  url = "http://me:secret@store";
  user = "me";
  user = "you";
  raw_retention = -1;
  body_lines = 1e3;
  timeout = true;
};
http: { address = "0.0.0.0"; port = "8080"; web = "nowhere"; };
sirens: { };
"""
BAD_COLLECTOR_LINES = f"""1: id: "-main" is not an id; expected 1 to 32 of a-z 0-9 and -, not starting with -
3: log: "loud" is not known; expected one of error, warn, info, debug
4: colour: unknown key; expected one of id, park, factors, tariffs, alarms, clock, log, broker, database, store, http
5: broker.port: 0 is out of range; expected 1 to 65535
5: broker.keep_alive: 3601 s is out of range; expected 5 to 3600 s
5: broker.password_file: {{folder}}/open.password: open to every user of this machine (mode 644); {SECRET}
7: database.path: {{folder}}/folder is not a regular file; expected the path of a file
8: database.limit: 99999999999 is out of range; expected 16 to 16777216 MiB
9: database.evidence_days: 0 is out of range; expected 1 to 3650 days
9: database.audit_years: 101 is out of range; expected 1 to 100 years
11: store.password_file: is missing; expected both user and password_file, or neither
12: store.url: "http://me:secret@store" is not the URL of a store; expected one such as http://127.0.0.1:8086
14: store.user: is set a second time (first in line 13); expected once
15: store.raw_retention: -1 is out of range; expected 0 to 36500 days
16: store.body_lines: {WORD.format("1e3")}
17: store.timeout: is a boolean; expected a number of seconds
19: http.port: is a string; expected an integer
19: http.address: "0.0.0.0" is not a loopback address; expected 127.0.0.1 or ::1, or access = "token"
19: http.web: {{folder}}/nowhere is not a folder; expected the one with the pages' files
20: sirens: unknown key; expected one of id, park, factors, tariffs, alarms, clock, log, broker, database, store, http
"""

BAD_PARK = """sites = (
  { id = "s"; name = "S"; zone = "Mars/Olympus"; headcount = "many"; },
  { id = "s"; name = "S"; name_en = "S"; zone = "Asia/Shanghai"; }
);
buildings = ( { id = "b"; name = "B"; name_en = "B"; site = "t"; area = 12.5; } );
gateways = { };
meters = (
  { id = "m"; name = "M"; name_en = "M"; building = "b"; carrier = "light"; parent = "m"; max_gap = 0.5;
    balance_limit = "none"; profile = "no"; owner = "x";
    segments = (
      { serial = 5; from = "yesterday"; max_rate = 9223372036854775808; ct = "1000/5"; registers = "both"; },
      { serial = "1"; from = "2026-01-01T00:00:00+08:00"; max_rate = 1; modulus = 100; start = 100; end = 7; ct = "2"; }
    ); }
);
resources = ( { id = "r"; name = "R"; name_en = "R"; building = "b"; kind = "steam"; contact = "C"; up = "on"; } );
calendars = ( { id = "c"; name = "C"; name_en = "C"; site = "s"; url = "https://u:p@h/c.ics"; every = 5; } );
instruments = (
  { id = "i"; name = "I"; name_en = "I"; building = "b"; category = "x"; owner = "O"; owner_en = "O"; owner_code = "1"; contact = "C";
    power = "gw-a/i"; off_w = 10; standby_w = 30; exit_w = 30; enter_w = 20; calendar = "d"; requires = ("r", "q");
    open = "8 to 5"; off_means = "maybe"; }
);
"""
BAD_PARK_LINES = f"""2: sites[0].name_en: is missing; expected name in English
2: sites[0].headcount: is a string; expected an integer
2: sites[0].zone: "Mars/Olympus" is not a time zone of this system; expected an IANA name such as Asia/Shanghai
3: sites[1].id: "s" is already the id of sites[0]; expected an id of its own
5: buildings[0].area: is a number with a fraction; expected an exact number as a string, such as "0.01" or "1000/5"
5: buildings[0].site: unknown site "t"; expected one of s, s
6: gateways: is not a list; expected ( {{{{ ... }}}}, {{{{ ... }}}} )
8: meters[0].carrier: "light" is not known; expected one of electricity, heat, cooling, water, gas
8: meters[0].max_gap: 0.5 s is out of range; expected 1 to 93600 s
8: meters[0].parent: goes round in a circle (m -> m); expected a tree
9: meters[0].profile: is a string; expected true or false
9: meters[0].balance_limit: "none" is not a positive number; expected one such as "0.01" or "1000/5"
9: meters[0].owner: unknown key; expected one of *
11: meters[0].segments[0].max_rate: 9223372036854775808 is too large; expected an integer of at most 64 bits
11: meters[0].segments[0].serial: is an integer; expected a string in double quotes
11: meters[0].segments[0].registers: "both" is not known; expected one of primary, secondary
11: meters[0].segments[0].from: "yesterday" is not a time; expected one with its offset, such as 2026-01-01T00:00:00+08:00
12: meters[0].segments[1].start: 100 is not below the modulus; expected at most 99
12: meters[0].segments[1].end: is given without until; expected both or neither
12: meters[0].segments[1].registers: is missing beside ct or pt; expected "primary" where *
15: resources[0].kind: "steam" is not known; expected one of power, *
15: resources[0].up: is a string; expected a list of strings: [*
16: calendars[0].every: 5 s is out of range; expected 30 to 86400 s
16: calendars[0].url: has a user or password in it; expected them as user and password_file
18: instruments[0].category: unknown category "x"; expected one of none: *
19: instruments[0].calendar: unknown calendar "d"; expected one of c
19: instruments[0].power: unknown gateway "gw-a"; expected one of none: *
19: instruments[0].exit_w: is not above standby_w; expected off_w < standby_w < exit_w < enter_w
19: instruments[0].enter_w: is not above exit_w; expected off_w < standby_w < exit_w < enter_w
19: instruments[0].requires: unknown resource "q"; expected one of r
20: instruments[0].off_means: "maybe" is not known; expected one of available, needs_warmup, unavailable
20: instruments[0].open: "8 to 5" are not opening hours; expected from-to within a day, *
"""

BAD_FACTORS = """factors = (
  { kind = "kgco2"; carrier = "electricity"; value = "0.5568"; unit = "kgCO2/kWh"; basis = "location"; region = "china"; year = 2021; confidence = "A"; },
  { kind = "kgco2"; carrier = "electricity"; value = "0.5366"; unit = "kgCO2/kWh"; basis = "footprint"; region = "china";
    from = "2021-12-31"; document = "D"; confidence = "A"; }
);
"""
BAD_FACTORS_LINES = """2: factors[0].document: is missing; expected number of the document that printed it; *
3: factors[1].basis: "footprint" does not fit kind kgco2; expected location or combustion
3: factors[1]: overlaps factors[0] (2021-01-01 to 2021-12-31); expected one row for each day
"""

TARIFF = """tariffs = ( { id = "t"; name = "T"; name_en = "T"; carrier = "electricity"; sites = ["%s"]; schedules = (
  { from = "2026-01-01"; document = "D"; confidence = "A"; seasons = (
    { months = "1-12";
      peak = "%s"; flat = "%s"; } ); } ); } );
"""
BAD_TARIFFS_LINES = """3: tariffs[0].schedules[0].seasons[0]: leaves 07:00-07:30 without a band; expected bands from 00:00 to 24:00
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "folder").mkdir()
    for name, text, mode in (("gw-a.cfg", GOOD_AGENT, 0o644), ("collector.cfg", GOOD_COLLECTOR, 0o644),
                             ("park.cfg", GOOD_PARK, 0o644), ("open.password", "x\n", 0o644), ("password", "x\n", 0o600)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)
    return tmp_path


def said(program: Path, settings: Path, *words: str, code: int = CONFIG) -> list[str]:
    done = run([program, "--config", settings, *words])
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stdout == ""
    return done.stderr.splitlines()


def assert_lines(found: list[str], *expected: tuple[Path, str], folder: Path) -> None:
    """Each found line is the expected one, in order; a `*` at the end of an expected line stands for any rest."""
    wanted = [f"{path}:{line}" for path, lines in expected for line in lines.format(folder=folder).splitlines()]
    for line, want in zip(found, wanted):
        assert line.startswith(want[:-1]) if want.endswith("*") else line == want
    assert len(found) == len(wanted), "\n".join(found)


@pytest.mark.parametrize("words", [["--check"], []])
def test_all_mistakes_of_an_agent_and_its_map_come_in_one_run(folder, words):
    bad, meter_map = folder / "bad.cfg", folder / "meter.map"
    bad.write_text(BAD_AGENT)
    meter_map.write_text(BAD_MAP)
    assert_lines(said(AGENT, bad, *words), (bad, BAD_AGENT_LINES), (meter_map, BAD_MAP_LINES), folder=folder)


@pytest.mark.parametrize("words", [["--check"], []])
def test_all_mistakes_of_a_collector_and_its_park_come_in_one_run(folder, words):
    bad, park = folder / "bad.cfg", folder / "bad-park.cfg"
    bad.write_text(BAD_COLLECTOR)
    park.write_text(BAD_PARK)
    assert_lines(said(COLLECTOR, bad, *words), (bad, BAD_COLLECTOR_LINES), (park, BAD_PARK_LINES), folder=folder)


@pytest.mark.parametrize("words", [["--check"], []])
@pytest.mark.parametrize("has_bad_settings", [True, False])
def test_the_mistakes_of_a_collectors_other_files_come_in_the_same_run(folder, words, has_bad_settings):
    settings, park = folder / "collector.cfg", folder / "bad-park.cfg"
    factors, tariffs = folder / "bad-factors.cfg", folder / "bad-tariffs.cfg"
    settings.write_text(GOOD_COLLECTOR.replace("park.cfg", park.name) + f'factors = "{factors.name}";\ntariffs = "{tariffs.name}";\n'
                        + ("colour = 1;\n" if has_bad_settings else ""))
    park.write_text(BAD_PARK)
    factors.write_text(BAD_FACTORS)
    tariffs.write_text(TARIFF % ("s", "07:30-20:00", "00:00-07:00, 20:00-24:00"))
    own = [(settings, "6: colour: unknown key; *")] if has_bad_settings else []
    assert_lines(said(COLLECTOR, settings, *words), *own, (park, BAD_PARK_LINES), (factors, BAD_FACTORS_LINES),
                 (tariffs, BAD_TARIFFS_LINES), folder=folder)


@pytest.mark.parametrize("key", ["factors", "tariffs", "alarms"])
def test_a_file_that_is_named_must_be_there(folder, key):
    (folder / "collector.cfg").write_text(GOOD_COLLECTOR + f'{key} = "none.cfg";\n')
    assert said(COLLECTOR, folder / "collector.cfg", "--check") == [
        f"{folder}/none.cfg: No such file or directory; expected a readable settings file"]


def test_the_sites_of_a_tariff_are_the_parks(folder):
    (folder / "collector.cfg").write_text(GOOD_COLLECTOR + 'tariffs = "tariffs.cfg";\n')
    for site, lines in (("s", []), ("x", ['1: tariffs[0].sites: unknown site "x"; expected ids of sites of the park model'])):
        (folder / "tariffs.cfg").write_text(TARIFF % (site, "07:00-20:00", "00:00-07:00, 20:00-24:00"))
        done = run([COLLECTOR, "--config", folder / "collector.cfg", "--check"])
        assert done.stderr.splitlines() == [f"{folder}/tariffs.cfg:{line}" for line in lines]
        assert (done.returncode, f"{folder}/tariffs.cfg: good" in done.stdout) == ((CONFIG, False) if lines else (0, True))


def test_a_look_at_meters_and_a_question_need_no_secrets(folder):
    """`--once` and `status` are for people who may not read passwords or write data; only what they do can fail."""
    no_secret = 'broker: { password_file = "nowhere"; };\n'
    (folder / "gw-a.cfg").write_text(GOOD_AGENT + no_secret)
    (folder / "collector.cfg").write_text(GOOD_COLLECTOR + no_secret)
    once = run([AGENT, "--config", folder / "gw-a.cfg", "--once"])
    assert once.returncode == UNAVAILABLE and "password" not in once.stderr, once.stderr
    asked = run([COLLECTOR, "status", "--config", folder / "collector.cfg"])
    assert asked.returncode == 2 and "not_running" in asked.stdout and asked.stderr == "", asked.stderr
    for program, name in ((AGENT, "gw-a.cfg"), (COLLECTOR, "collector.cfg")):
        assert any("nowhere" in line for line in said(program, folder / name))


def test_good_files_are_called_good(folder):
    for program, name in ((AGENT, "gw-a.cfg"), (COLLECTOR, "collector.cfg")):
        done = run([program, "--config", folder / name, "--check"])
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[0] == f"{folder / name}: good"
    assert not list(folder.glob("spool*")) and not list(folder.glob("db*")), "--check makes nothing"


def test_the_name_of_the_collector_is_no_gateway(folder):
    settings = folder / "gw-a.cfg"
    settings.write_text(settings.read_text().replace('gateway = "gw-a"', 'gateway = "park-collector"'))
    lines = said(AGENT, settings, "--check")
    assert len(lines) == 1
    assert lines[0].endswith(": gateway: is the collector's name at the broker; expected an id of this gateway's own")


def test_relative_paths_count_from_the_settings_file(folder):
    done = run([AGENT, "--config", "gw-a.cfg", "--check"], cwd=folder)
    assert done.returncode == 0, done.stderr
    done = run([COLLECTOR, "--config", f"{folder.name}/collector.cfg", "--check"], cwd=folder.parent)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("program", [AGENT, COLLECTOR])
@pytest.mark.parametrize("content, expected", [
    (None, ": No such file or directory; expected a readable settings file"),
    (b"a = 1;\nb = \0;\n", ":2: holds the byte 0x00; expected text in UTF-8"),
    (b"\x7fELF\x02\x01\x01\x00" * 1000, ":1: holds the byte 0x7f; expected text in UTF-8"),
    ('name = "电表";\n'.encode("gb18030"), ":1: holds bytes that are not UTF-8; expected text in UTF-8"),
    (b"#" * (20 << 20), ": larger than 16777216 bytes; expected a readable settings file"),
    (b"a = " + b"(" * 1_000_000, ":1: *"),
    (b"a = " + b"{ b = " * 1_000_000, ":1: *"),
    (b"".join(b"key%d = 1;\n" % i for i in range(500_000)), ":257: key256: is one of more than 256 keys in one group; *"),
    (b"a = 1;\n{", ":2: { stands where a key should; expected key = value;"),
    (b"/* all of it", ":1: the comment that begins here is never closed; expected */"),
], ids=["missing", "nul", "binary", "gb18030", "20MB", "deep-lists", "deep-groups", "many-keys", "no-key", "open-comment"])
def test_what_is_no_settings_file_is_one_line(folder, program, content, expected):
    path = folder / "odd.cfg"
    if content is not None:
        path.write_bytes(content)
    lines = said(program, path)
    assert len(lines) == 1
    want = f"{path}{expected}"
    assert lines[0].startswith(want[:-1]) if want.endswith("*") else lines[0] == want


@pytest.mark.parametrize("program", [AGENT, COLLECTOR])
def test_a_folder_is_no_settings_file(folder, program):
    assert said(program, folder) == [f"{folder}: not a regular file; expected a readable settings file"]


def test_an_empty_file_lacks_what_is_required(folder):
    path = folder / "empty.cfg"
    path.write_text("")
    assert [line.split(";")[0] for line in said(AGENT, path)] == [
        f"{path}:1: {key}: is missing" for key in ("gateway", "spool", "buses")]
    assert [line.split(";")[0] for line in said(COLLECTOR, path, "--check")][:2] == [
        f"{path}:1: {key}: is missing" for key in ("park", "database")]


def test_a_park_that_cannot_be_read_is_one_line(folder):
    (folder / "park.cfg").unlink()
    assert said(COLLECTOR, folder / "collector.cfg") == [
        f"{folder}/park.cfg: No such file or directory; expected a readable settings file"]


@pytest.fixture
def unprivileged():
    """A folder and programs that a user without rights can reach, and options to run as that user."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        programs = [Path(shutil.copy(program, home / program.name)) for program in (AGENT, COLLECTOR)]
        (home / "gw-a.cfg").write_text(GOOD_AGENT)
        (home / "collector.cfg").write_text(f'park = "park.cfg";\ndatabase: {{ path = "db"; }};\nhttp: {{ web = "{home}"; }};\n')
        (home / "park.cfg").write_text(GOOD_PARK)
        options = {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
        if not options:
            home.chmod(0o555)
        try:
            yield home, programs, options
        finally:
            home.chmod(0o755)


def run_as(options: dict, program: Path, settings: Path) -> tuple[int, str]:
    done = subprocess.run([program, "--config", settings, "--check"], capture_output=True, text=True, timeout=60, check=False,
                          extra_groups=[] if options else None, **options)
    return done.returncode, done.stderr


def test_a_file_that_may_not_be_read_and_a_folder_that_may_not_be_written_are_told(unprivileged):
    home, (agent, collector), options = unprivileged
    want = f"{home}: Permission denied; expected a folder in which this user may write\n"
    assert run_as(options, agent, home / "gw-a.cfg") == (CONFIG, f"{home}/gw-a.cfg:2: spool.path: {want}")
    assert run_as(options, collector, home / "collector.cfg") == (CONFIG, f"{home}/collector.cfg:2: database.path: {want}")
    (home / "gw-a.cfg").chmod(0)
    assert run_as(options, agent, home / "gw-a.cfg") == (
        CONFIG, f"{home}/gw-a.cfg: Permission denied; expected a readable settings file\n")


def test_a_spool_of_another_gateway_is_not_used(folder):
    """What only opening the file can tell is told at the start, with the same exit code."""
    (folder / "spool").write_text("this is not a database, and long enough to look at\n" * 100)
    lines = said(AGENT, folder / "gw-a.cfg")
    assert any(f"{folder}/spool is not a sound database" in line for line in lines), lines
    (folder / "db").write_text("this is not a database, and long enough to look at\n" * 100)
    lines = said(COLLECTOR, folder / "collector.cfg")
    assert any(f"{folder}/db is not a sound database" in line for line in lines), lines


@pytest.mark.parametrize("program, words", [
    (AGENT, []), (AGENT, ["--colour"]), (AGENT, ["--config"]), (AGENT, ["--config", "x", "y"]),
    (AGENT, ["--config", "x", "--check", "--once"]), (AGENT, ["--config", "x", "--once", "--replay", "y"]),
    (COLLECTOR, []), (COLLECTOR, ["--colour"]), (COLLECTOR, ["--config"]), (COLLECTOR, ["repot", "--config", "x"]),
    (COLLECTOR, ["status"]), (COLLECTOR, ["status", "--check", "--config", "x"]), (COLLECTOR, ["--json", "--config", "x"]),
])
def test_a_wrong_command_line_is_one_sentence_and_the_usage(program, words):
    done = run([program, *words])
    assert done.returncode == USAGE and done.stdout == ""
    first, second = done.stderr.splitlines()[:2]
    assert first.startswith(f"{program.name}: ") and second.startswith("usage: ")


@pytest.mark.parametrize("program, option", [(AGENT, "--help-config"), (COLLECTOR, "--help-config"), (COLLECTOR, "--help-park"),
                                             (COLLECTOR, "--help-factors"), (COLLECTOR, "--help-tariffs")])
def test_the_help_of_the_settings_fits_the_screen(program, option):
    done = run([program, option])
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) > 20 and max(len(line) for line in lines) <= 110
    # Every key's text starts in the same column.
    assert all(line[22] != " " and line[20:22] == "  " for line in lines if not line.lstrip().startswith("--"))


@pytest.mark.parametrize("program", [AGENT, COLLECTOR])
def test_what_cannot_be_printed_whole_is_no_success(program):
    with open("/dev/full", "w") as full:
        done = subprocess.run([program, "--help-config"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (74, "cannot write what was to be printed: No space left on device\n")


def test_the_examples_load(folder):
    """As they stand, but for what lies outside them: passwords, and the folders of an installed system."""
    shutil.copytree(SOURCE / "config", folder / "config")
    state = folder / "state"
    state.mkdir()
    for name in ("agent", "collector"):
        path = folder / "config" / f"{name}.cfg"
        text = path.read_text().replace("/var/lib/parkmon", str(state)).replace("# web = \"/usr/share/parkmon/web\"", f'web = "{WEB}"')
        path.write_text(text)
    for name in ("gw-a", "collector", "store"):
        password = folder / "config" / f"{name}.password"
        password.write_text("x\n")
        password.chmod(0o600)
    for program, name in ((AGENT, "agent"), (COLLECTOR, "collector")):
        done = run([program, "--config", folder / "config" / f"{name}.cfg", "--check"])
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", sorted((SOURCE / "config/meters").glob("*.cfg")), ids=lambda path: path.stem)
def test_each_register_map_loads(folder, path):
    settings = folder / "map.cfg"
    settings.write_text('gateway = "gw-a"; spool: { path = "spool"; };\n'
                        'buses = ( { name = "b"; driver = "modbus_tcp"; host = "h"; devices = (\n'
                        f'  {{ name = "d"; prefix = "p"; map = "{path}"; }} ); }} );\n')
    done = run([AGENT, "--config", settings, "--check"])
    assert done.returncode == 0, done.stderr
