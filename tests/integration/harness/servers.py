"""The foreign servers: mosquitto with the shipped rules, and InfluxDB."""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shutil
import socket
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from harness.process import Failure, Program, free_port, run

SOURCE = Path(__file__).resolve().parents[3]
COLLECTOR_USER = "park-collector"
READER_USER = "public_reader"


def find_program(name: str) -> str:
    """Servers live in sbin, which a person's PATH may lack."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        raise Failure(f"the program {name} is not installed")
    return path


class Broker(Program):
    """mosquitto with config/broker/mosquitto.conf and acl as shipped; only addresses, paths and `replace` differ.

    Every user gets a password file `<user>.password` in the folder; programs read it from there.
    """

    def __init__(self, folder: Path, users: list[str], replace: dict[str, str] | None = None):
        self.port = free_port()
        super().__init__("broker", folder, [find_program("mosquitto"), "-c", folder / "mosquitto.conf"])
        passwords = folder / "passwords"
        shutil.copy(SOURCE / "config/broker/acl", folder / "acl")
        passwords.touch(mode=0o600)
        passwords.chmod(0o600)
        for name in [COLLECTOR_USER, READER_USER, *users]:
            self.add_user(name)
        # As root mosquitto would change to a user that cannot read a private folder.
        changed = {
            "listener": f"{self.port} 127.0.0.1",
            "password_file": str(passwords),
            "acl_file": str(folder / "acl"),
            "user": pwd.getpwuid(os.getuid()).pw_name,
            **(replace or {}),
        }
        lines = []
        for line in (SOURCE / "config/broker/mosquitto.conf").read_text().splitlines():
            if line and not line.startswith("#") and line.split()[0] not in changed:
                lines.append(line)
        lines[:0] = [f"{key} {value}" for key, value in changed.items()]
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def password_file(self, user: str) -> Path:
        return self.folder / f"{user}.password"

    def add_user(self, user: str) -> None:
        """Takes effect at the next start."""
        password = secrets.token_urlsafe(12)
        descriptor = os.open(self.password_file(user), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(password + "\n")
        made = run([find_program("mosquitto_passwd"), "-b", self.folder / "passwords", user, password])
        if made.returncode != 0:
            raise Failure(f"mosquitto_passwd: {made.stderr.strip()}")

    def is_ready(self) -> bool:
        return self.listens(self.port)

    def client(self, program: str, user: str, *words: str) -> list[str]:
        """A command line of mosquitto_pub or mosquitto_sub as that user, MQTT 5."""
        password = self.password_file(user).read_text().strip()
        return [program, "-V", "5", "-h", "127.0.0.1", "-p", str(self.port), "-u", user, "-P", password, *words]


class Influx(Program):
    """InfluxDB 1.x with its data in the folder. `url` stays the same over restarts."""

    def __init__(self, folder: Path, settings: str = ""):
        self.port = free_port()
        self.rpc_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__("influxdb", folder, [find_program("influxd"), "-config", folder / "influxdb.conf"])
        (folder / "influxdb.conf").write_text(
            "reporting-disabled = true\n"
            f'bind-address = "127.0.0.1:{self.rpc_port}"\n'
            f'[meta]\n  dir = "{folder}/meta"\n'
            f'[data]\n  dir = "{folder}/data"\n  wal-dir = "{folder}/wal"\n  query-log-enabled = false\n'
            f'[http]\n  bind-address = "127.0.0.1:{self.port}"\n  log-enabled = false\n'
            "[monitor]\n  store-enabled = false\n"
            '[logging]\n  level = "warn"\n  suppress-logo = true\n' + settings)

    def is_ready(self) -> bool:
        if not self.listens(self.port):
            return False
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=2) as answer:
                return answer.status == 204
        except (urllib.error.URLError, socket.timeout, ConnectionError):
            return False

    def query(self, text: str, database: str = "parkmon") -> list[dict]:
        """The series of an InfluxQL statement: name, tags, columns, values; times in milliseconds."""
        return query(self.url, database, text)

    def write(self, lines: str, policy: str, database: str = "parkmon") -> None:
        """Lines written behind the collector's back; times in milliseconds."""
        request = urllib.request.Request(f"{self.url}/write?db={database}&rp={policy}&precision=ms", lines.encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 204

    def rows(self, text: str, database: str = "parkmon") -> list[dict]:
        """The rows of all series as dictionaries, with the series' tags."""
        return [{**series.get("tags", {}), **dict(zip(series["columns"], values))}
                for series in self.query(text, database) for values in series.get("values", [])]

    def policies(self, database: str = "parkmon") -> list[str]:
        """The retention policies of a database; none where it does not exist yet."""
        if database not in [row["name"] for row in self.rows("SHOW DATABASES")]:
            return []
        return [row["name"] for row in self.rows(f'SHOW RETENTION POLICIES ON "{database}"')]

    def count(self, measurement: str, database: str = "parkmon") -> int:
        """How many points with a field `value` a measurement holds, in whatever retention policy."""
        return sum(row["count"] for policy in self.policies(database)
                   for row in self.rows(f'SELECT count(value) FROM "{policy}"."{measurement}"', database))

    def newest_ms(self, measurement: str, gateway: str, database: str = "parkmon") -> int:
        """The time of a gateway's newest reading in a measurement; 0 = none."""
        return max((row["time"] for policy in self.policies(database) for row in self.rows(
            f'SELECT last(value) FROM "{policy}"."{measurement}" WHERE gateway = \'{gateway}\'', database)), default=0)

    def raw(self, measurement: str, database: str = "parkmon", where: str = "") -> dict[tuple[str, str], list[tuple[int, object]]]:
        """Every value of a measurement, in whatever retention policy: (gateway, point) -> [(ms, value)] in order of time.
        `where`: only these, as " WHERE ..."."""
        found: dict[tuple[str, str], list[tuple[int, object]]] = {}
        for policy in self.policies(database):
            for series in self.query(f'SELECT value FROM "{policy}"."{measurement}"{where} GROUP BY *', database):
                key = (series["tags"]["gateway"], series["tags"]["point"])
                # Each series of a point is kept apart by its tags; together they are the point's readings.
                found.setdefault(key, []).extend((time, value) for time, value in series["values"])
        for readings in found.values():
            readings.sort(key=lambda reading: reading[0])
        return found


def query(url: str, database: str, text: str) -> list[dict]:
    """One InfluxQL statement; an error inside a 200 answer is an error too. Nothing there: no series."""
    body = urllib.parse.urlencode({"db": database, "epoch": "ms", "q": text}).encode()
    try:
        with urllib.request.urlopen(f"{url}/query", data=body, timeout=60) as answer:
            result = json.load(answer)["results"][0]
    except urllib.error.HTTPError as error:
        raise Failure(f"{text}: {error.code} {error.read().decode(errors='replace')}") from None
    if "error" in result:
        raise Failure(f"{text}: {result['error']}")
    return result.get("series", [])
