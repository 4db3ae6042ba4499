"""Who is told of alarms: at growing intervals, by robots and by mail; receivers that are dead, hang, refuse or answer nonsense cost nothing to the others.
What must be said is written here from config/alarms.cfg, the README and the makers' documents."""

from __future__ import annotations

import base64
import contextlib
import email
import email.policy
import hashlib
import hmac
import json
import os
import re
import sqlite3
import threading
import time
from itertools import groupby
from urllib.parse import parse_qs, urlsplit

from alarm_house import Alarms, Hole, Odd, Receiver, hook, park, wait_events
from harness.process import run, wait_until

# ---- who is told ----

def test_what_stands_is_told_again_at_growing_intervals_until_somebody_takes_note(stage):
    receiver = Receiver()
    house = Alarms(stage, park(), '{ id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; for = 0; clear_for = 0; }', hook(receiver), "repeat = 1; repeat_max = 3;")
    house.begin()
    house.gauge("main.p", 2000)
    wait_until(lambda: len(receiver.told("power")) >= 5, 40, "five messages")
    times = [at for at, _, _ in receiver.posts][:5]
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert gaps[0] >= 0.9 and gaps[1] >= 1.9 and gaps[2] >= 2.9 and gaps[3] >= 2.9  # 1, 2, then at most 3
    assert [said["number"] for said in receiver.told("power")][:5] == [1, 2, 3, 4, 5]
    assert receiver.events("power")[:3] == ["fired", "standing", "standing"]
    assert all((said["value"], said["now_value"], said["fired_value"]) == ((2000.0, None, 2000.0) if said["event"] == "fired" else (None, 2000.0, 2000.0))
               for said in receiver.told("power")[:5])
    house.gauge("main.p", 3500)
    now, = wait_until(lambda: [said for said in receiver.told("power") if said["now_value"] == 3500.0][:1], 20, "it is told with the value of now")
    assert now["fired_value"] == 2000.0 and " · now 3.5 kW · limit 1 kW · since " in now["text"] and " · then 2 kW · " in now["text"]
    alarm = house.wait_standing("power", True)
    assert house.ask("POST", f"/api/v1/alarms/{alarm['id']}/ack", house.anna, {})[0] == 200
    house.gauge("main.p", 2000)
    count = len(receiver.posts)  # one may have been under way
    house.gauge("main.p", 0)
    wait_until(lambda: receiver.events("power")[-1] == "cleared", 20, "one line on recovery")
    assert len(receiver.posts) <= count + 2 and receiver.events("power").count("cleared") == 1
    receiver.close()


def test_receivers_that_are_dead_or_hang_cost_nothing_to_others_nor_to_the_core(stage):
    duty, failing, hole = Receiver(), Receiver(), Hole()
    dead = Receiver()
    port = dead.port
    dead.close()
    failing.answer = 500
    receivers = ", ".join([hook(hole, "hole"), hook(dead, "dead"), hook(failing, "failing"), hook(duty)])
    house = Alarms(stage, park(), '{ id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; for = 0; clear_for = 0; }', receivers, "repeat = 3600;")
    house.begin()
    for round_ in range(3):
        for watts, event in ((2000, "fired"), (0, "cleared")):
            house.gauge("main.p", watts)
            wait_until(lambda event=event, round_=round_: duty.events("power").count(event) == round_ + 1, 30, f"{event} is told")
            if round_ == 0 and event == "fired":  # and the one that hangs does, in its first attempt
                assert "receiver hole did not take a message" not in house.collector.log()
    assert failing.posts == []
    wait_until(lambda: hole.taken and all(f"receiver {name} did not take a message" in house.collector.log() for name in ("dead", "failing")), 30, "they were tried")
    deaf = lambda: [one["detail"] for one in json.loads(house.collector.get("/readyz")[1])["reasons"] if one["code"] == "alarm_receivers"]  # noqa: E731
    wait_until(lambda: deaf() == ["dead, failing"], 60, "pages say who is not told")
    # Whoever comes back is told what he missed: that it fired, or is over.
    failing.answer = 200
    back = Receiver(port)
    wait_until(lambda: back.events("power").count("cleared") == 3 and failing.events("power").count("cleared") == 3, 60, "they are told")
    wait_until(lambda: deaf() == [], 30, "all are told again")
    begun = time.monotonic()
    house.collector.stop()
    assert time.monotonic() - begun < 30  # not as long as an attempt may take
    for one in (duty, failing, hole, back):
        one.close()


def pour(connection) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def drip(connection) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.2)


EMPTY = "\r\nContent-Length: 0\r\n\r\n"
TAKEN = f"HTTP/1.1 200 OK{EMPTY}"


def says(text: str):
    return lambda connection: connection.sendall(text.encode())


def sign(folder, name: str, *more: str) -> str:
    """A certificate and its key, by itself or by another; the certificate's path, with the key behind it in <name>.both."""
    done = run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem", *more])
    assert done.returncode == 0, done.stderr
    (folder / f"{name}.both").write_text((folder / f"{name}.key").read_text() + (folder / f"{name}.pem").read_text())
    return str(folder / f"{name}.pem")


def test_a_certificate_of_the_parks_own_authority_is_trusted_by_its_file_alone(stage):
    ours, other = sign(stage.folder, "ours"), sign(stage.folder, "other")
    sign(stage.folder, "duty", "-CA", ours, "-CAkey", ours.replace(".pem", ".key"), "-addext", "subjectAltName=IP:127.0.0.1")
    duty = {name: Odd(says(TAKEN), str(stage.folder / "duty.both")) for name in ("ours", "other", "none")}
    receivers = ", ".join(hook(one, name).replace("}", f'ca_file = "{stage.folder}/{name}.pem"; }}' if name != "none" else "}") for name, one in duty.items())
    house = Alarms(stage, park(), '{ id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; for = 0; clear_for = 0; }', receivers, "repeat = 3600;")
    house.begin()
    house.gauge("main.p", 2000)
    wait_until(lambda: duty["ours"].requests, 20, "by our authority it is told")
    for name in ("other", "none"):
        wait_until(lambda name=name: re.search(f"receiver {name} did not take a message: https://127.0.0.1:[0-9]+: SSL certificate problem: unable to get local issuer certificate",
                                               house.collector.log()), 20, f"{name} is no reason to trust it")
    assert duty["other"].requests == duty["none"].requests == []
    # The file is read at each attempt: one that is replaced needs no restart.
    (stage.folder / "other.new").write_text((stage.folder / "ours.pem").read_text())
    (stage.folder / "other.new").replace(other)
    wait_until(lambda: duty["other"].requests, 60, "it is trusted now")
    for one in duty.values():
        one.close()


def test_receivers_that_answer_nonsense_are_told_apart_in_one_line_each_and_cost_nothing(stage):
    """As an operator finds them at night: what each did, by its name and host, and nothing of its path."""
    sign(stage.folder, "127.0.0.1")
    duty, elsewhere = Receiver(), Receiver()
    odd = {  # what it does, and what must be said of it
        "moved": (Odd(says(f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere.url}{EMPTY}")), "it answered 307, and no redirect is followed; expected 200 of the URL that is named"),
        "gone": (Odd(says(f"HTTP/1.1 404 Not Found{EMPTY}")), "it answered 404; expected 200"),
        "busy": (Odd(says(f"HTTP/1.1 503 Busy\r\nRetry-After: 40{EMPTY}")), "it answered 503; expected 200; next try in 40 s"),
        "flood": (Odd(pour), "the answer has more than 65536 bytes"),
        "slow": (Odd(drip), "Operation timed out after "),
        "rude": (Odd(says("SSH-2.0-OpenSSH_9.2\r\n")), "Received HTTP/0.9 when not allowed"),
        "mute": (Odd(lambda connection: None), "Empty reply from server"),
        "unsigned": (Odd(says(TAKEN), str(stage.folder / "127.0.0.1.both")), "SSL certificate problem: self-signed certificate"),
    }
    plain = Odd(says(f"HTTP/1.1 400 Bad Request{EMPTY}"), is_patient=False)  # no TLS where https is asked for
    odd["plain"] = (plain, "wrong version number")
    plain.url = plain.url.replace("http:", "https:")
    # Only the one that is to run out of its time has little of it: however busy this machine is, each of the others is told what it did.
    receivers = ", ".join([*(hook(one, name, 3 if name == "slow" else 60) for name, (one, _) in odd.items()), hook(duty)])
    house = Alarms(stage, park(), '{ id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; for = 0; clear_for = 0; }', receivers, "repeat = 3600;")
    house.begin()
    house.gauge("main.p", 2000)
    wait_until(lambda: duty.events("power") == ["fired"], 30, "the one that is well is told")
    house.gauge("main.p", 0)
    wait_until(lambda: duty.events("power") == ["fired", "cleared"], 30, "and told that it is over")
    for name, (one, words) in odd.items():
        def lines(name=name):
            return [line for line in house.collector.log().splitlines() if f"receiver {name} did not take a message: " in line]

        line, = wait_until(lines, 60, f"{name} is complained of")
        host = one.url.split("/hook")[0]
        assert f"receiver {name} did not take a message: {host}: " in line and words in line and "; next try in " in line, line
        assert "secretpath" not in line
    assert elsewhere.posts == [] and odd["unsigned"][0].requests == []
    # All in figures: nine wait, each was tried, and the core never did.
    def attempts(outcome: str) -> int:
        return int(re.search(rf'\nparkmon_alarm_messages_total\{{outcome="{outcome}"\}} (\d+)\n', house.collector.get("/metrics")[1])[1])

    assert house.collector.metric("parkmon_alarm_messages_waiting") == len(odd)
    wait_until(lambda: attempts("failed") >= len(odd) and attempts("taken") == 2, 30, "the attempts are counted")
    wait_until(lambda: house.collector.metric("parkmon_core_heartbeat_age_seconds") < 2, 30, "the core waits for none of them")
    for one in (duty, elsewhere, *(one for one, _ in odd.values())):
        one.close()


def test_robots_are_told_with_their_secrets_from_files_which_are_nowhere_else(stage):
    ding, wecom = Receiver(), Receiver()
    secrets = {"ding.url": f"http://127.0.0.1:{ding.port}/robot/send?access_token=tok123secret", "ding.key": "SECkey456secret",
               "wecom.url": f"http://127.0.0.1:{wecom.port}/cgi-bin/webhook/send?key=key789secret"}
    for name, text in secrets.items():
        (stage.folder / name).write_text(text + "\n")
        (stage.folder / name).chmod(0o600)
    receivers = f"""{{ id = "ding"; kind = "dingtalk"; url_file = "{stage.folder}/ding.url"; secret_file = "{stage.folder}/ding.key"; }},
                    {{ id = "wecom"; kind = "wecom"; url_file = "{stage.folder}/wecom.url"; language = "en"; }}"""
    house = Alarms(stage, park(), '{ id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; for = 0; clear_for = 0; }', receivers, "repeat = 3600;")
    wecom.body = {"errcode": 45009, "errmsg": "api freq out of limit"}
    house.begin()
    house.gauge("main.p", 2000)
    wait_until(lambda: ding.posts and wecom.posts, 20, "both are told")
    _, path, said = ding.posts[0]
    query = {name: values[0] for name, values in parse_qs(urlsplit(path).query, strict_parsing=True).items()}
    expected = base64.b64encode(hmac.new(b"SECkey456secret", f"{query['timestamp']}\nSECkey456secret".encode(), hashlib.sha256).digest()).decode()
    assert urlsplit(path).path == "/robot/send" and query["access_token"] == "tok123secret" and query["sign"] == expected
    assert abs(int(query["timestamp"]) / 1000 - time.time()) < 60
    assert said["msgtype"] == "text" and said["text"]["content"].startswith("【警告】告警：越限 · 计量表 表main（main） · x · 数值 2 kW · 限值 1 kW")
    # A robot that says no with 200 has not taken it: the same again.
    wait_until(lambda: "errcode 45009" in house.collector.log(), 20, "the refusal is told")
    wecom.body = {"errcode": 0, "errmsg": "ok"}
    wait_until(lambda: len(wecom.posts) >= 2, 40, "it is tried again")
    assert wecom.posts[0][1] == "/cgi-bin/webhook/send?key=key789secret" and wecom.posts[0][2] == wecom.posts[1][2]
    status, found = house.ask("GET", "/api/v1/alarms", house.operator)
    assert status == 200
    for text in (house.collector.log(), json.dumps(found), house.collector.get("/metrics")[1], house.collector.get("/readyz")[1]):
        assert not any(secret in text for secret in ("tok123secret", "SECkey456secret", "key789secret"))
    ding.close()
    wecom.close()


def test_mail_goes_through_sendmail_without_a_shell(stage):
    box, program = stage.folder / "box", stage.folder / "send mail; touch evil"
    box.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > "{box}/arguments"\ncat > "{box}/mail.$$"\nmv "{box}/mail.$$" "{box}/mail-$$"\n')
    program.chmod(0o755)
    receivers = f'{{ id = "mail"; kind = "mail"; to = ("duty@park.example", "boss@park.example"); from = "parkmon@park.example"; sendmail = "{program}"; }}'
    house = Alarms(stage, park(), '{ id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; for = 0; clear_for = 0; }', receivers, "repeat = 3600;")
    house.begin()
    house.gauge("main.p", 2000)
    path, = wait_until(lambda: list(box.glob("mail-*")), 20, "a mail")
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert mail["To"] == "duty@park.example, boss@park.example" and mail["From"] == "parkmon@park.example" and mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content().strip()
    assert mail["Subject"] == text and text.startswith("【警告】告警：越限 · 计量表 表main（main）")
    assert (box / "arguments").read_text() == "-t|-i|" and not list(stage.folder.rglob("evil"))
    house.gauge("main.p", 0)
    wait_until(lambda: len(list(box.glob("mail-*"))) == 2, 20, "the recovery")


def text_of(request: bytes) -> str:
    return json.loads(request.split(b"\r\n\r\n", 1)[1])["text"]["content"]


def test_people_who_may_have_been_told_are_told_that_it_is_over_and_no_others(stage):
    """A robot that takes it and answers late, or while the collector is killed; one that says no, and one that is not there, were told nothing."""
    answers = threading.Event()
    ok = b'{"errcode":0,"errmsg":"ok"}'

    def late(connection) -> None:
        answers.wait(120)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(ok), ok))

    slow, killed, refusing, absent = Odd(late), Odd(late), Receiver(), Receiver()
    robots = {"slow": slow.url, "killed": killed.url, "refusing": refusing.url, "absent": absent.url}
    port = absent.port
    absent.close()
    refusing.body = {"errcode": 45009, "errmsg": "no"}
    for name, url in robots.items():
        (stage.folder / name).write_text(url + "\n")
        (stage.folder / name).chmod(0o600)
    duty = Receiver()
    box, mailer = stage.folder / "box", stage.folder / "mailer"
    box.mkdir()
    mailer.write_text(f'#!/bin/sh\ncat > "{box}/mail.$$"\nmv "{box}/mail.$$" "{box}/mail-$$"\n[ -e "{box}/well" ] || exec sleep 100\n')
    mailer.chmod(0o755)
    receivers = ", ".join([*(f'{{ id = "{name}"; kind = "wecom"; url_file = "{stage.folder}/{name}"; language = "en"; timeout = {1 if name == "slow" else 60}; }}' for name in robots),
                           f'{{ id = "mail"; kind = "mail"; to = ("duty@park.example"); sendmail = "{mailer}"; language = "en"; timeout = 1; }}', hook(duty)])
    house = Alarms(stage, park(), '{ id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; for = 0; clear_for = 0; }', receivers, "repeat = 3600;")
    house.begin()

    def mails() -> list[str]:
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default).get_content() for path in sorted(box.glob("mail-*"), key=lambda path: path.stat().st_mtime_ns)]

    house.gauge("main.p", 2000)
    wait_until(lambda: slow.requests and killed.requests and mails() and all(f"receiver {name} did not take a message" in house.collector.log() for name in ("refusing", "absent")), 30, "all are tried")
    house.collector.kill()
    killed_port = killed.socket.getsockname()[1]
    killed.close()
    house.start()
    wait_until(lambda: "receiver killed did not take a message" in house.collector.log(), 30, "it is tried again, and not there")
    house.gauge("main.p", 0)
    house.wait_standing("power", False)
    answers.set()
    (box / "well").write_text("")
    for said in (lambda: map(text_of, slow.requests), mails):  # who is slow to answer may be told again
        wait_until(lambda said=said: [key for key, _ in groupby(text.split(":")[0] for text in said())] == ["[warning] Alarm", "[warning] Cleared"], 60,
                   "who may have been told is told that it is over")
    back = Receiver(killed_port)
    wait_until(lambda: back.posts, 60, "so is who had it when the collector was killed")
    assert back.posts[0][2]["text"]["content"].startswith("[warning] Cleared: ")
    # The others learn of the next one, and of nothing before.
    refusing.posts.clear()
    refusing.body = {"errcode": 0, "errmsg": "ok"}
    absent = Receiver(port)
    house.gauge("main.p", 2000)
    for one in (refusing, absent):
        wait_until(lambda one=one: one.posts, 60, "it is told of the next")
        assert [said["text"]["content"].split(":")[0] for _, _, said in one.posts] == ["[warning] Alarm"] and " · no. 2" in one.posts[0][2]["text"]["content"]
    for one in (slow, back, refusing, absent, duty):
        one.close()


FULL = '{ id = "full"; kind = "disk"; above = 60; clear = 50; for = 0; clear_for = 0; }'


class SmallDisk:
    """A house whose collector's database is on a disk of its own, which others fill up."""

    def __init__(self, stage, small_folder, receiver: Receiver, rules: str) -> None:
        self.house = Alarms(stage, park(), rules, hook(receiver), "repeat = 4; repeat_max = 4;")
        self.folder = small_folder(48)
        settings = self.house.collector.settings
        settings.write_text(settings.read_text().replace(str(self.house.database), str(self.folder / "collector.db")))
        self.house.begin()

    def fill(self, name: str, mebibytes: int) -> None:
        with open(self.folder / name, "wb", buffering=0) as file, contextlib.suppress(OSError):
            for _ in range(mebibytes * 256):
                file.write(bytes(4096))

    def fill_up(self, receiver: Receiver) -> None:
        self.fill("most", 28)
        wait_until(lambda: receiver.posts, 30, "it is told")
        self.fill("all", 48)
        wait_until(lambda: "disk is full" in self.house.collector.log(), 60, "what was taken cannot be written")
        self.fill("reserve", 48)
        assert self.is_full()

    def is_full(self) -> bool:
        return os.statvfs(self.folder).f_bavail == 0

    def is_settled(self) -> bool:
        """Is it on the disk that the store has all?"""
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/collector.db?mode=ro", uri=True)) as database:
            return database.execute("SELECT position >= (SELECT max(id) FROM journal) FROM cursor WHERE name = 'raw'").fetchone()[0] == 1

    def make_room(self) -> None:
        for name in ("most", "all", "reserve"):
            (self.folder / name).unlink()


def test_on_a_disk_without_a_byte_nobody_is_told_the_same_twice(stage, small_folder):
    duty = Receiver()
    disk = SmallDisk(stage, small_folder, duty, FULL + ', { id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; for = 3600; }')
    disk.house.gauge("main.p", 2000)  # on its way to fire: what is known of that cannot be written either
    disk.fill_up(duty)
    count = len(duty.posts)
    wait_until(lambda: len(duty.posts) >= count + 4, 100, "it is told again, at its intervals")
    assert disk.is_full()
    ids = [said["id"] for _, _, said in duty.posts]
    assert len(set(ids[count:])) == len(ids[count:]), ids  # one was under way when the disk became full
    assert [said["number"] for _, _, said in duty.posts][count:] == list(range(ids.index(ids[count]) + 1, ids.index(ids[count]) + 1 + len(ids) - count))
    disk.make_room()
    wait_until(lambda: duty.events("full")[-1] == "cleared", 120, "it is over")
    duty.close()


def test_each_receiver_can_be_tried_without_an_alarm(stage):
    duty, wecom, slow = Receiver(), Receiver(), Hole()
    wecom.body = {"errcode": 45009, "errmsg": "no"}
    dead = Receiver()
    dead.close()
    box, program = stage.folder / "mail", stage.folder / "sendmail"
    program.write_text(f'#!/bin/sh\ncat > "{box}"\n')
    program.chmod(0o755)
    secret = stage.folder / "robot.url"
    secret.write_text(f"{wecom.url}\n")
    secret.chmod(0o600)
    receivers = ", ".join([hook(duty, "duty"), f'{{ id = "robot"; kind = "wecom"; url_file = "{secret}"; }}', hook(dead, "dead"), hook(slow, "slow", 1),
                           f'{{ id = "mail"; kind = "mail"; to = ("duty@park.example"); sendmail = "{program}"; }}'])
    house = Alarms(stage, park(), '{ id = "power"; kind = "threshold"; on = ("meter:main"); above = "1000"; }', receivers)
    command = [house.collector.program, "test-receivers", "--config", house.collector.settings]
    tried = run(command)
    lines = tried.stdout.splitlines()
    assert tried.returncode == 1 and tried.stderr == "" and [line.split(":")[0] for line in lines] == ["duty (webhook)", "robot (wecom)", "dead (webhook)", "slow (webhook)", "mail (mail)"]
    assert re.fullmatch(r"duty \(webhook\): took it, after \d+ ms", lines[0]) and re.fullmatch(r"mail \(mail\): took it, after \d+ ms", lines[4])
    assert lines[1].startswith("robot (wecom): did not take it: ") and "errcode 45009" in lines[1]
    assert lines[2].startswith("dead (webhook): did not take it: ") and lines[3].startswith("slow (webhook): may have taken it: ")
    (_, _, said), = duty.posts
    assert said == {"id": said["id"], "event": "test", "collector": "main", "text": "[test] Alarms of the collector main arrive here; this is none."}
    assert wecom.posts[0][2] == {"msgtype": "text", "text": {"content": "【测试】采集器 main 的告警可以送达这里；这不是告警。"}}
    mail = email.message_from_bytes(box.read_bytes(), policy=email.policy.default)
    assert mail["To"] == "duty@park.example" and mail["Subject"] == mail.get_content().strip() == wecom.posts[0][2]["text"]["content"]
    only = run([*command, "duty"])
    assert only.returncode == 0 and len(only.stdout.splitlines()) == 1 and [one["event"] for _, _, one in duty.posts] == ["test", "test"]
    assert len({one["id"] for _, _, one in duty.posts}) == 2
    unknown = run([*command, "duty", "nobody"])
    assert unknown.returncode == 64 and "no receiver of the rules of alarms: nobody" in unknown.stderr and len(duty.posts) == 2
    secret.unlink()
    only = run([*command, "duty", "mail"])
    assert only.returncode == 0 and [line.split(":")[0] for line in only.stdout.splitlines()] == ["duty (webhook)", "mail (mail)"] and len(duty.posts) == 3
    for named in (["robot"], ["duty", "robot"], []):
        refused = run([*command, *named])
        assert refused.returncode == 78 and str(secret) in refused.stderr and refused.stdout == "" and len(duty.posts) == 3
    for one in (duty, wecom, slow):
        one.close()


def test_on_a_disk_without_a_byte_a_store_that_comes_back_mutes_nobody(stage, small_folder):
    """What it says cannot be recorded, and is tried again: messages go all the same, and when there is room nothing is missing."""
    duty = Receiver()
    disk = SmallDisk(stage, small_folder, duty, FULL)
    house = disk.house
    house.influx.stop()
    for watts in range(5):
        house.gauge("main.p", watts)
    disk.fill_up(duty)
    lines, failures = (house.collector.metric(name) for name in ("parkmon_store_lines_total", "parkmon_commit_failures_total"))
    house.influx.start()
    wait_until(lambda: house.collector.metric("parkmon_store_lines_total") > lines, 60, "the store takes what waits")
    wait_until(lambda: house.collector.metric("parkmon_commit_failures_total") > failures, 70, "that cannot be recorded")
    count, begun = len(duty.posts), time.monotonic()
    wait_until(lambda: len(duty.posts) >= count + 10, 90, "it is told again")
    wait_until(lambda: house.collector.metric("parkmon_alarm_messages_waiting") == 0, 20, "its receiver is well")
    assert disk.is_full() and not disk.is_settled()
    numbers = [said["number"] for _, _, said in duty.posts[count:]]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    failures = house.collector.metric("parkmon_commit_failures_total") - failures
    assert failures <= 3 + 2 * (time.monotonic() - begun) / 60
    disk.make_room()
    wait_until(lambda: disk.is_settled() and duty.events("full")[-1] == "cleared", 120, "all is recorded, and it is over")
    duty.close()
