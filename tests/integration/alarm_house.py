"""A park with rules of alarms, through the real programs, and local receivers that are well, refuse or hang."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness.parkmon import new_collector
from harness.process import free_port, wait_until
from publisher import Publisher
from test_decisions import House

ZONE = timezone(timedelta(hours=8))
NOW = datetime.now(ZONE)
# Opening hours that are not now: the one that begins within eight hours.
OPENS = (NOW.hour + 8) % 24
CLOSED_NOW = f"{OPENS:02}:00-{OPENS + 1:02}:00"
ALWAYS = """
sites = ({ id = "s1"; name = "x"; name_en = "x"; zone = "Asia/Shanghai"; });
buildings = ({ id = "b1"; name = "x"; name_en = "x"; site = "s1"; });
gateways = ({ id = "gw-a"; name = "甲"; name_en = "A <1>"; site = "s1"; building = "b1"; },
            { id = "gw-b"; name = "乙"; name_en = "B"; site = "s1"; building = "b1"; });
categories = ({ id = "c1"; name = "x"; name_en = "x"; });
"""
POWER = 'off_w = 10; standby_w = 20; exit_w = 30; enter_w = 40; enter_s = 1; exit_s = 1; off_means = "available";'
SEGMENT = 'segments = ({{ serial = "{0}"; from = "2026-01-01T00:00:00Z"; point = "gw-a/{0}"; resolution = 1; max_rate = 10000000; }});'


def park(limit: str = "0.05") -> str:
    meters = "".join(f'{{ id = "{name}"; name = "表{name}"; name_en = "Meter {name}"; building = "b1"; {more} {SEGMENT.format(name)} }},\n' for name, more in (
        ("main", f'carrier = "electricity"; power = "gw-a/main.p"; balance_limit = "{limit}";'),
        ("part", 'carrier = "electricity"; parent = "main";'), ("tap", 'carrier = "water";')))
    return ALWAYS + f"""
meters = ({meters.rstrip()[:-1]});
instruments = ({{ id = "xrd"; name = "衍射仪"; name_en = "Diffractometer"; building = "b1"; category = "c1"; owner = "o"; owner_en = "o"; owner_code = "9"; contact = "8";
  open = "{CLOSED_NOW}"; power = "gw-a/xrd"; {POWER} }},
  {{ id = "sem"; name = "电镜"; name_en = "Microscope"; building = "b1"; category = "c1"; owner = "o"; owner_en = "o"; owner_code = "9"; contact = "8";
  session = "gw-a/sem.s"; power = "gw-a/sem"; {POWER} }});
spaces = ({{ id = "hall"; name = "大厅"; name_en = "Hall"; building = "b1"; reset = ""; doors = ({{ id = "d"; name = "门"; name_en = "Door"; in = "gw-a/d.in"; out = "gw-a/d.out"; }}); }});
"""


class Receiver:
    """Takes what is posted, answers as it is told, and keeps it in the order in which it came. When it is closed nobody else has its port."""

    def __init__(self, port: int = 0):
        self.posts: list[tuple[float, str, dict]] = []
        self.answer, self.body = 200, {"errcode": 0, "errmsg": "ok"}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if outer.answer == 200:
                    outer.posts.append((time.monotonic(), self.path, said))
                text = json.dumps(outer.body).encode()
                self.send_response(outer.answer)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port or free_port()), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def told(self, rule: str) -> list[dict]:
        return [said for _, _, said in self.posts if said.get("rule") == rule]

    def events(self, rule: str) -> list[str]:
        """Each message once, by its id: at least once is promised."""
        found = {said["id"]: said["event"] for said in self.told(rule)}
        return list(found.values())

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Hole:
    """Takes connections, and never says a word."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/hang"
        self.taken: list[socket.socket] = []
        threading.Thread(target=self.take, daemon=True).start()

    def take(self) -> None:
        try:
            while True:
                self.taken.append(self.socket.accept()[0])
        except OSError:
            pass

    def close(self) -> None:
        self.socket.close()
        for one in self.taken:
            one.close()


class Odd:
    """Takes a request, and answers as `answer` does with the connection; https where a certificate is given. Without patience it answers before it is asked."""

    def __init__(self, answer, certificate: str | None = None, is_patient: bool = True):
        self.is_patient = is_patient
        self.requests: list[bytes] = []
        self.answer = answer
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        self.socket = socket.create_server(("127.0.0.1", free_port()))
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.socket.getsockname()[1]}/hook/secretpath"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.take, args=(self.socket.accept()[0],), daemon=True).start()

    def take(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            said = b""
            while self.is_patient and not re.search(rb"\r\n\r\n.*\}$", said, re.DOTALL):
                more = connection.recv(65536)
                if not more:
                    return
                said += more
            self.requests.append(said)
            self.answer(connection)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # else one more is accepted
        self.socket.close()


class Alarms(House):
    def __init__(self, stage, written: str, rules: str, receivers: str, more: str = "", clock: str = "trusted", **options):
        self.rules_file = stage.folder / "alarms.cfg"
        self.write(rules, receivers, more)
        self.broker = stage.broker("gw-a")
        self.influx = stage.influx()
        self.park = stage.folder / "park.cfg"
        self.park.write_text(written)
        self.collector = stage.add(new_collector(stage.folder / "collector", self.broker, self.influx, self.park,
                                                 more=f'clock = "{clock}"; alarms = "{self.rules_file}";', **options))
        self.database = stage.folder / "collector/collector.db"
        self.seq = 0

    def write(self, rules: str, receivers: str, more: str = "") -> None:
        new = self.rules_file.with_suffix(".new")
        new.write_text(f"{more}\nrules = (\n{rules}\n);\nreceivers = (\n{receivers}\n);\n")
        new.replace(self.rules_file)

    def reload(self, *arguments: str) -> None:
        self.write(*arguments)
        os.kill(self.collector.pid, signal.SIGHUP)

    def begin(self) -> None:
        self.start()
        self.agent = Publisher(self.broker, "gw-a")
        self.operator = self.token("operator", "--role", "operator")
        self.auditor = self.token("auditor", "--role", "auditor")
        self.anna = self.token("anna <b>", "--role", "operator", "--scope", "alarms")

    def bounce(self) -> None:
        self.collector.kill()
        self.start()

    def send(self, *lines: str, more: str = "") -> None:
        self.seq += 1
        self.agent.send(self.seq, list(lines), more=more)
        self.agent.wait_ack(self.seq)

    def gauge(self, point: str, value: float) -> None:
        self.send(f"gauge,point={point} value={value} {int(time.time() * 1000)}")

    def state(self, clock: str) -> None:
        self.agent.mqtt.publish("park/v1/gw/gw-a/state", json.dumps({"state": "online", "since": 1, "version": "1", "clock": clock, "points": {}}).encode())
        self.agent.mqtt.flush()

    def listed(self, query: str = "") -> list[dict]:
        status, found = self.ask("GET", f"/api/v1/alarms{query}", self.operator)
        assert status == 200, found
        return found["alarms"]

    def of(self, rule: str) -> list[dict]:
        return [one for one in self.listed() if one["rule"] == rule]

    def wait_standing(self, rule: str, is_standing: bool, seconds: float = 30.0) -> dict:
        def found():
            return next((one for one in self.of(rule) if (one["state"] == "standing") == is_standing), None)
        return wait_until(found, seconds, f"{rule} {'stands' if is_standing else 'is over'}: {self.of(rule)}")

    def wait_standing_none(self, rule: str) -> None:
        wait_until(lambda: all(one["state"] == "cleared" for one in self.of(rule)), 30, f"no alarm of {rule} stands")


def wait_events(receiver: Receiver, rule: str, events: list[str], seconds: float = 30.0) -> list[dict]:
    wait_until(lambda: receiver.events(rule) == events, seconds, f"{rule}: {events}")
    return receiver.told(rule)


def hook(receiver, name: str = "duty", seconds: int = 60) -> str:
    """With time to answer on a busy machine: a message that was taken too late comes twice."""
    return f'{{ id = "{name}"; kind = "webhook"; url = "{receiver.url}"; language = "en"; timeout = {seconds}; }}'
