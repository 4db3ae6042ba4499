"""Who is let through to what: every route of the table in CONTRIBUTING.md with everybody, tokens, signing in, and the log of changes."""

from __future__ import annotations

import html
import http.client
import json
import re
import sqlite3
import time
from urllib.parse import quote, urlencode

import pytest
from harness.parkmon import build_folder, new_collector
from harness.process import run, wait_until
from harness.servers import SOURCE

PARK = """
sites = ( { id = "s1"; name = "x"; name_en = "x"; zone = "Asia/Shanghai"; } );
buildings = ( { id = "b1"; name = "x"; name_en = "x"; site = "s1"; } );
gateways = ( { id = "gw-a"; name = "x"; name_en = "x"; site = "s1"; } );
categories = ( { id = "c1"; name = "x"; name_en = "x"; } );
instruments = ( { id = "i1"; name = "x"; name_en = "x"; building = "b1"; category = "c1"; owner = "x"; owner_en = "x"; owner_code = "x"; contact = "x"; session = "gw-a/i1"; } );
"""
FORM = "application/x-www-form-urlencoded"
# What a folder's route is asked for.
EXAMPLES = {"/api/v1/costs": "/api/v1/costs?site=s1&period=2026-10", "/api/v1/booked": "/api/v1/booked?site=s1&period=2026-10", "/assets/": "/assets/ops.css",
            "/api/v1/energy": "/api/v1/energy?from=2026-10&to=2026-11", "/api/v1/occupancy": "/api/v1/occupancy?from=2026-10&to=2026-11",
            "/api/v1/public/occupancy": "/api/v1/public/occupancy?from=2026-10&to=2026-11", "/audit/": "/audit/s1/2026-10", "/ops/decide": "/ops/decide?kind=reset",
            "/api/v1/instruments/{id}/hours": "/api/v1/instruments/i1/hours?period=2026-10"}
INSTRUMENT = "i1"  # stands for {id}


def written_table() -> list[dict[str, str]]:
    """The rows of CONTRIBUTING.md."""
    text = (SOURCE / "CONTRIBUTING.md").read_text()
    rows = [[cell.strip().strip("`") for cell in line.strip("|").split("|")]
            for line in re.search(r"^\| method \| path .*?(?=\n\n)", text, re.MULTILINE | re.DOTALL).group().splitlines()]
    return [dict(zip(rows[0], row)) for row in rows[2:]]


TABLE = written_table()


class House:
    def __init__(self, stage, http_settings: str = ""):
        self.stage = stage
        park = stage.folder / "park.cfg"
        park.write_text(PARK)
        self.collector = stage.add(new_collector(stage.folder / "collector", stage.broker(), stage.influx(), park,
                                                 http_settings=http_settings))
        self.access = stage.folder / "collector/collector.db.access"

    def start(self) -> "House":
        self.collector.start()
        return self

    def command(self, *words: str):
        return run([self.collector.program, "token", *words[:1], "--config", self.collector.settings, *words[1:]])

    def add(self, role: str, *more: str) -> str:
        done = self.command("add", "--role", role, "--name", f"the {role}", *more)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ask(self, method: str, path: str, headers=(), body: str | None = None):
        """Status, headers and text; `headers` are pairs, so that one can be there twice."""
        connection = http.client.HTTPConnection("127.0.0.1", self.collector.port, timeout=10)
        connection.putrequest(method, path)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Type", "application/json" if path.startswith("/api/") else FORM)
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders((body or "").encode())
        answer = connection.getresponse()
        text = answer.read(100).decode() if path == "/api/v1/stream" and answer.status == 200 else answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def sign_in(self, token: str, **more: str):
        return self.ask("POST", "/login", body=urlencode({"token": token, **more}))

    def changes(self, token: str, query: str = "") -> dict:
        status, _, text = self.ask("GET", "/api/v1/changes" + query, bearer(token))
        assert status == 200, text
        return json.loads(text)


def bearer(token: str):
    return [("Authorization", f"Bearer {token}")]


def cookie_of(headers) -> str:
    return headers["Set-Cookie"].split(";")[0]


@pytest.fixture
def strict(stage):
    return House(stage, 'access = "token";').start()


@pytest.fixture
def loopback(stage):
    return House(stage).start()


def is_let_through(status: int) -> bool:
    """As far as the handler: 200, a redirect, or what the route itself says, such as a form without a token."""
    return status in (200, 302, 303)


def play(house: House, row: dict[str, str], headers) -> tuple[int, object]:
    path = EXAMPLES.get(row["path"], row["path"].replace("{id}", INSTRUMENT))
    body = None if row["method"] != "POST" else "{}" if path.startswith("/api/") else ""
    status, answered, text = house.ask(row["method"], path, headers, body)
    assert status not in (404, 405), row
    if status == 401 and path != "/login":
        assert answered["WWW-Authenticate"].startswith('Bearer realm="parkmon"'), row
        assert row["path"].startswith("/ops") or row["path"] in ("/logout", "/audit/") or json.loads(text)["error"]["code"] == "unauthorized"
    return status, answered


def expected(row: dict[str, str], column: str, is_here: bool, without: int) -> str | int:
    """What the table says: "yes", or the status of the refusal."""
    word = row[column]
    if word == "yes" or (word == "here" and is_here):
        return "yes"
    return without


def check(row, status: int, wanted, who: str) -> None:
    # A form without a token is answered by the page of /login itself, which is open.
    if wanted == "yes" and (row["method"], row["path"]) == ("POST", "/login"):
        assert status in (401, 429), (who, row, status)
    elif wanted == "yes":
        assert is_let_through(status), (who, row, status)
    else:
        assert status == wanted, (who, row, status)


def test_the_written_table_is_the_programs():
    printed = run([build_folder() / "collector/park-collector", "--help-routes"])
    assert printed.returncode == 0 and printed.stdout in (SOURCE / "CONTRIBUTING.md").read_text()
    assert len(TABLE) == printed.stdout.count("\n") - 2 > 10


def test_a_scope_lets_its_tokens_write_and_no_others(strict):
    tokens = {scope: strict.add("public", "--scope", scope) for scope in ("decisions", "readings", "closings", "outages", "sessions", "alarms")}
    rows = [row for row in TABLE if row["scope"] != "-" and row["method"] == "POST"]
    assert {row["path"] for row in rows} >= {"/api/v1/decisions", "/api/v1/readings", "/api/v1/closings", "/api/v1/outages", "/api/v1/sessions", "/api/v1/alarms/{id}/ack"}
    for row in rows:
        for scope, token in tokens.items():
            status, _, text = strict.ask("POST", row["path"], bearer(token), "{}")
            if scope == row["scope"]:
                # Of a form nothing is filled in.
                said = {"closings": ("bad_closing",), "alarms": ("there is no alarm", "id: expected the number of an alarm"), "sessions": ("bad_",),
                        "outages": ("bad_outage", "“act”", "there is no outage", "why: is missing")}
                assert status in ((400, 404) if "{id}" in row["path"] else (400,)), (row, scope, text)
                assert any(word in text for word in said.get(scope, ("wrong", "kind is none of", "“kind”", "bad_decision", "bad_count"))), (row, scope, text)
            else:
                assert status == 403, (row, scope)


def test_every_route_lets_exactly_those_through_whom_the_table_names(strict):
    tokens = {role: strict.add(role) for role in ("public", "operator", "auditor")}
    for is_here in (True, False):
        way = [] if is_here else [("X-Forwarded-For", "203.0.113.7")]
        for row in TABLE:
            status, _ = play(strict, row, way)
            check(row, status, expected(row, "without a token", is_here, 401), "nobody")
            for role, token in tokens.items():
                status, _ = play(strict, row, way + bearer(token))
                check(row, status, expected(row, role, is_here, 403), role)


def test_a_token_that_is_not_good_opens_nothing(strict):
    good, revoked, expired = strict.add("auditor"), strict.add("operator"), strict.add("operator")
    assert strict.command("revoke", "2").returncode == 0
    with sqlite3.connect(strict.access) as db:  # in the past
        db.execute("UPDATE token SET expires_ms = 1 WHERE id = 3")
    other = good[:-1] + ("0" if good[-1] != "0" else "1")
    wrong = {"revoked": bearer(revoked), "expired": bearer(expired), "other secret": bearer(other),
             "another's id": bearer(good.replace("park_1_", "park_2_")), "unknown id": bearer(good.replace("park_1_", "park_9_")),
             "malformed": bearer("park"), "empty": bearer(""), "no scheme": [("Authorization", good)],
             "basic": [("Authorization", f"Basic {good}")], "twice": bearer(good) + bearer(good),
             "long": bearer("x" * 8000), "with more": bearer(good + " x")}
    for name, headers in wrong.items():
        for row in TABLE:
            status, answered = play(strict, row, headers)
            check(row, status, "yes" if row["without a token"] == "yes" else 401, name)
            if status == 401 and row["path"] != "/login":
                assert 'error="invalid_token"' in answered["WWW-Authenticate"]
    # More than the listener takes in at all.
    assert strict.ask("GET", "/api/v1/live", bearer("x" * 40000))[0] in (400, 413, 431)
    assert strict.ask("GET", "/api/v1/changes", bearer(good))[0] == 200
    assert strict.ask("GET", "/api/v1/changes", [("Authorization", f"bearer   {good}")])[0] == 200


def test_the_status_command_needs_no_token(strict):
    strict.collector.wait_healthy()
    done = run([strict.collector.program, "status", "--config", strict.collector.settings])
    # How it is is not the question here; where it is refused it says "failing", 2.
    assert (done.returncode, done.stdout.splitlines()[0]) in ((0, "healthy"), (1, "degraded"))


def test_other_machines_are_listened_to_where_tokens_are_needed(stage):
    house = House(stage, 'access = "token"; name = "park.example";')
    settings = house.collector.settings
    settings.write_text(settings.read_text().replace('address = "127.0.0.1"', 'address = "0.0.0.0"'))
    house.start()
    token = house.add("operator")
    assert house.ask("GET", "/ops")[0] == 401
    assert house.ask("GET", "/ops", bearer(token))[0] == 200
    log = house.collector.log_tail()
    assert "no token is good" in log and "who listens on the way reads tokens" in log
    settings.write_text(settings.read_text().replace('access = "token"', 'access = "loopback"'))
    done = run([house.collector.program, "--config", settings, "--check"])
    assert done.returncode == 78
    assert done.stderr.endswith('http.address: "0.0.0.0" is not a loopback address; expected 127.0.0.1 or ::1, or access = "token"\n')


def test_on_loopback_reading_is_open_as_before_and_nothing_else(loopback):
    for row in TABLE:
        status, _ = play(loopback, row, [])
        is_open = row["without a token"] != "-" or (row["method"] == "GET" and row["operator"] == "yes")
        check(row, status, "yes" if is_open else 401, "nobody")
    # A cookie of a session that is over is nobody's, and harms nobody; a token that is wrong is.
    assert loopback.ask("GET", "/ops", [("Cookie", "parkmon=" + "0" * 64)])[0] == 200
    assert loopback.ask("GET", "/ops", bearer("park"))[0] == 401
    assert not loopback.access.exists()


def test_signing_in_gives_a_cookie_that_ends_with_the_token(strict):
    token = strict.add("operator", "--expires", "1h")
    status, headers, text = strict.ask("GET", "/ops", [("Accept-Language", "zh-CN,zh;q=0.9")])
    assert status == 401 and "请先登录" in text and 'value="/ops"' in text
    status, headers, text = strict.sign_in(token, next="/ops")
    assert (status, headers["Location"]) == (303, "/ops")
    assert re.fullmatch(r"parkmon=[0-9a-f]{64}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict", headers["Set-Cookie"])
    cookie = [("Cookie", "a=b; " + cookie_of(headers))]
    assert strict.ask("GET", "/ops", cookie)[0] == 200
    assert strict.ask("GET", "/api/v1/stream", cookie)[0] == 200
    assert strict.ask("GET", "/api/v1/changes", cookie)[0] == 403
    page = strict.ask("GET", "/login?lang=en", cookie)[2]
    assert "the operator" in page and token not in page
    # Beside the cookie a form needs what only a page of the session tells.
    csrf = re.search(r'name="csrf" value="([0-9a-f]{64})"', page).group(1)
    for body in ("", "csrf=", "csrf=" + "0" * 64):
        assert strict.ask("POST", "/logout", cookie, body)[0] == 403
    assert strict.ask("POST", "/logout", cookie + [("Sec-Fetch-Site", "cross-site")], f"csrf={csrf}")[0] == 403
    assert strict.ask("GET", "/ops", cookie)[0] == 200
    status, headers, _ = strict.ask("POST", "/logout", cookie, f"csrf={csrf}")
    assert status == 303 and "Max-Age=0" in headers["Set-Cookie"]
    assert strict.ask("GET", "/ops", cookie)[0] == 401

    cookie = [("Cookie", cookie_of(strict.sign_in(token)[1]))]
    assert strict.ask("GET", "/ops", cookie)[0] == 200
    assert strict.command("revoke", "1").returncode == 0
    assert strict.ask("GET", "/ops", cookie)[0] == 401
    assert strict.sign_in(token)[0] == 401


def signed_in(house: House, token: str, **more: str):
    status, headers, _ = house.sign_in(token, **more)
    assert status == 303
    return [("Cookie", cookie_of(headers))]


def sign_out(house: House, cookie) -> None:
    csrf = re.search(r'name="csrf" value="([0-9a-f]{64})"', house.ask("GET", "/login", cookie)[2]).group(1)
    assert house.ask("POST", "/logout", cookie, f"csrf={csrf}")[0] == 303


def test_who_is_signed_in_stays_so_when_the_collector_is_killed_and_who_is_not_stays_out(strict):
    operator, auditor, another = strict.add("operator"), strict.add("auditor"), strict.add("operator")
    stays, leaves, revoked, revoked_while_down = (signed_in(strict, token) for token in (operator, operator, auditor, another))
    csrf = re.search(r'name="csrf" value="([0-9a-f]{64})"', strict.ask("GET", "/login", stays)[2]).group(1)
    sign_out(strict, leaves)
    assert strict.command("revoke", "2").returncode == 0
    strict.collector.kill()
    assert strict.command("revoke", "3").returncode == 0
    kept = strict.stage.folder / "collector/collector.db.sessions"
    assert kept.stat().st_mode & 0o7777 == 0o600
    text = kept.read_text()
    assert text.startswith("parkmon sessions 2\n") and stays[0][1].split("=")[1] not in text and operator.split("_")[2] not in text
    for _ in range(2):
        strict.collector.start()
        assert strict.ask("GET", "/ops", stays)[0] == 200
        for gone, path in ((leaves, "/ops"), (revoked, "/api/v1/changes"), (revoked_while_down, "/ops")):
            assert strict.ask("GET", path, gone)[0] == 401
        strict.collector.kill()
    strict.collector.start()
    assert strict.ask("POST", "/logout", stays, f"csrf={csrf}")[0] == 303, "a form that was open"
    strict.collector.kill()
    strict.collector.start()
    assert strict.ask("GET", "/ops", stays)[0] == 401


def test_a_file_of_sessions_that_cannot_be_read_or_written_is_one_line_of_the_log(strict):
    kept = strict.stage.folder / "collector/collector.db.sessions"
    token = strict.add("operator")
    cookie = signed_in(strict, token)
    strict.collector.kill()
    kept.write_bytes(kept.read_bytes().replace(b"sessions 2", b"sessions 3"))
    strict.collector.start()
    assert strict.collector.log().count(f"{kept}: damaged, or not of this version; who was signed in has to do so again") == 1
    assert strict.ask("GET", "/ops", cookie)[0] == 401
    kept.with_name(kept.name + ".part").mkdir()  # in the way
    cookie, other = signed_in(strict, token), signed_in(strict, token)
    assert strict.ask("GET", "/ops", cookie)[0] == strict.ask("GET", "/ops", other)[0] == 200
    assert strict.collector.log().count(f"{kept}: cannot be written") == 1
    sign_out(strict, other)
    assert not kept.exists()
    strict.collector.kill()
    strict.collector.start()
    assert strict.ask("GET", "/ops", other)[0] == 401
    # Nor may a backup take its place.
    done = run([strict.collector.program, "backup", "--config", strict.collector.settings, "-o", kept, "--force"])
    assert done.returncode == 64 and "belongs to the database" in done.stderr


def test_a_screen_is_kept_signed_in_as_long_as_its_token(strict):
    longer, long = strict.add("operator", "--expires", "500d"), strict.add("operator", "--expires", "30d")
    for token, keep, seconds in ((longer, "yes", 400 * 86400), (long, "yes", 30 * 86400), (long, "", 12 * 3600)):
        status, headers, _ = strict.sign_in(token, keep=keep)
        assert status == 303
        assert 0 <= seconds - int(re.search(r"Max-Age=(\d+);", headers["Set-Cookie"]).group(1)) < 60
    page = strict.ask("POST", "/login", body=urlencode({"token": "park", "keep": "yes", "lang": "zh"}))[2]
    assert "保持此屏幕登录" in page and re.search(r'<input id="keep"[^>]* checked>', page)
    assert not re.search(r'<input id="keep"[^>]* checked>', strict.ask("GET", "/login?lang=en")[2])


def test_every_change_is_seen_whoever_wrote_before(strict):
    """The collector itself writes, the day of a use; then the command does, and so on in turn."""
    tokens = [strict.add("operator")]
    for number in range(2, 6):
        assert strict.ask("GET", "/ops", bearer(tokens[-1]))[0] == 200
        tokens.append(strict.add("operator"))
        status, headers, _ = strict.sign_in(tokens[-1])
        assert status == 303 and strict.ask("GET", "/ops", [("Cookie", cookie_of(headers))])[0] == 200
        assert strict.command("revoke", str(number - 1)).returncode == 0
        assert strict.ask("GET", "/ops", bearer(tokens[-2]))[0] == 401
        assert strict.ask("GET", "/ops", bearer(tokens[-1]))[0] == 200
    assert [line.split()[2] for line in strict.command("list").stdout.splitlines()[1:]] == ["revoked"] * 4 + ["valid"]


def test_a_sign_in_leads_only_to_paths_of_ours(strict):
    token = strict.add("operator")
    for wrong in ("//evil.example/", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "/%2fevil.example", "%2f%2fevil.example", "javascript:alert(1)", "/ops:80@evil.example", "ops", "?x", " /ops", "/ops ", "/a\nb",
                  "/\t/evil.example", "/%0d%0aSet-Cookie:x", "/ops#//evil.example", '/"><script>', "/" + "a" * 300):
        status, headers, _ = strict.sign_in(token, next=wrong)
        assert status == 400 and "Location" not in headers and "Set-Cookie" not in headers, wrong
        status, headers, page = strict.ask("GET", f"/login?next={quote(wrong)}&lang=en")
        assert status == 400 and "Location" not in headers and "“next”" in page and ("the path of a page here" in page or "control characters" in page), (wrong, page)
        assert "evil" not in page and "<script" not in page
    for right, to in (("/ops?view=screen&lang=zh", "/ops?view=screen&lang=zh"), ("/instruments/sem-1", "/instruments/sem-1"), ("", "/ops")):
        status, headers, _ = strict.sign_in(token, next=right)
        assert (status, headers["Location"]) == (303, to)
        assert strict.ask("GET", f"/login?next={quote(right)}")[0] == 200


def hidden(page: str, name: str) -> str:
    return html.unescape(re.search(rf'name="{name}" value="([^"]*)"', page).group(1))


def test_a_sign_in_leads_back_to_the_page_with_what_it_was_asked_for(strict):
    wall = "/ops?view=screen&lang=zh"
    status, _, page = strict.ask("GET", wall)
    assert status == 401 and hidden(page, "next") == wall and hidden(page, "lang") == "zh"
    # The language is chosen, and nothing of the way back is lost.
    links = [html.unescape(link) for link in re.findall(r'href="(/login[^"]*)"', page)]
    assert {link.rsplit("=", 1)[1] for link in links} == {"zh", "en"}
    for link in links:
        status, _, page = strict.ask("GET", link)
        assert status == 200 and hidden(page, "next") == wall and link in [html.unescape(other) for other in re.findall(r'href="(/login[^"]*)"', page)]
    status, headers, _ = strict.sign_in(strict.add("operator"), next=wall)
    assert (status, headers["Location"]) == (303, wall)
    # What no path may have goes on without it.
    for asked, back in (("/ops/alarms?done=1&x=%2F%2Fevil.example%2F", "/ops/alarms?done=1"), ("/ops?view=screen&q=%E7%94%B5", "/ops?view=screen"), ("/ops?a=b%26c%3Dd&view=screen", "/ops?view=screen"),
                        ("/ops?view=screen&x=" + "a" * 300, "/ops?view=screen"), ("/ops?x", "/ops?x=")):
        status, _, page = strict.ask("GET", asked)
        assert status == 401 and hidden(page, "next") == back, asked


def test_behind_https_the_cookie_goes_no_other_way(stage):
    house = House(stage, 'access = "token"; https = true; name = "park.example";').start()
    token = house.add("operator")
    status, headers, _ = house.sign_in(token)
    assert status == 303 and headers["Set-Cookie"].startswith("__Host-parkmon=") and headers["Set-Cookie"].endswith("; Secure")
    assert house.ask("GET", "/ops", [("Cookie", cookie_of(headers))])[0] == 200


def test_tries_to_sign_in_are_slowed_down(strict):
    token = strict.add("operator")
    for _ in range(3):
        assert strict.sign_in("park_1_" + "0" * 64)[0] == 401
    status, headers, text = strict.sign_in(token, lang="en")
    assert status == 429 and int(headers["Retry-After"]) >= 1 and "Too many tries" in text
    wait_until(lambda: strict.sign_in(token)[0] == 303, 10, "the wait is over")
    assert strict.ask("GET", "/api/v1/live", bearer(token))[0] == 200  # who has a token is not slowed down


def test_behind_a_proxy_one_who_guesses_slows_down_nobody_else(stage):
    house = House(stage, 'access = "token"; https = true; name = "park.example";').start()
    token = house.add("operator")

    def sign_in(text: str, came_from: str | None) -> int:
        headers = [] if came_from is None else [("X-Forwarded-For", came_from)]
        return house.ask("POST", "/login", headers, urlencode({"token": text}))[0]

    for number in range(3):  # what stands before the last is the visitor's own claim
        assert sign_in("park", f"10.9.9.{number}, 203.0.113.7") == 401
    assert sign_in(token, "203.0.113.7") == sign_in(token, "203.0.113.8, 203.0.113.7") == 429
    assert sign_in(token, "203.0.113.7, 203.0.113.8") == sign_in(token, "2001:db8::1") == sign_in(token, None) == 303
    assert sign_in(token, "unknown") == 303


def test_what_a_visitor_claims_to_be_forwarded_for_counts_nothing_without_a_proxy(strict):
    for number in range(3):
        assert strict.ask("POST", "/login", [("X-Forwarded-For", f"203.0.113.{number}")], "token=x")[0] == 401
    assert strict.ask("POST", "/login", [("X-Forwarded-For", "203.0.113.99")], "token=x")[0] == 429


def test_a_stream_ends_with_its_token(strict):
    token = strict.add("operator")
    connection = http.client.HTTPConnection("127.0.0.1", strict.collector.port, timeout=40)
    connection.request("GET", "/api/v1/stream", headers=dict(bearer(token)))
    answer = connection.getresponse()
    assert answer.status == 200 and answer.read1(100)
    assert strict.command("revoke", "1").returncode == 0
    begin = time.monotonic()
    while answer.read1(65536):
        assert time.monotonic() - begin < 35
    connection.close()


def test_the_log_tells_who_made_and_revoked_tokens(strict):
    auditor = strict.add("auditor")
    strict.add("public", "--scope", "readings,alarms", "--expires", "12h")
    assert strict.command("revoke", "2").stdout == 'token 2 of "the public" is revoked\n'
    assert strict.command("revoke", "2").stdout == 'token 2 of "the public" had been revoked before\n'
    log = strict.changes(auditor)
    assert [(c["action"], c["object"]) for c in log["changes"]] == [
        ("token revoke", "token 2"), ("token add", "token 2"), ("token add", "token 1")]
    assert all(c["who"].startswith("user ") and c["token"] is None and c["time"].endswith("+08:00") for c in log["changes"])
    assert "scopes readings,alarms" in log["changes"][1]["after"] and log["next_before"] is None
    first = strict.changes(auditor, "?limit=2")
    second = strict.changes(auditor, f"?limit=2&before={first['next_before']}")
    assert first["changes"] + second["changes"] == log["changes"]
    assert strict.ask("GET", "/api/v1/changes?limit=0", bearer(auditor))[0] == 400
    listed = strict.command("list").stdout.splitlines()
    assert re.fullmatch(r" +1  auditor   valid    \S+  \S+  \d{4}-\d\d-\d\d  the auditor", listed[1])
    assert re.fullmatch(r" +2  public    revoked  \S+  \S+  never       the public \(may write: readings,alarms\)", listed[2])
    assert auditor.split("_")[2] not in strict.access.read_bytes().decode("latin-1")


def test_mistakes_of_the_command_are_one_sentence_and_change_nothing(strict):
    for words, said in ((("add", "--role", "admin", "--name", "x"), "--role is one of"), (("add", "--role", "public"), "--name is missing"),
                        (("add", "--role", "public", "--name", "x", "--expires", "9y"), "--expires is no time such as 12h or 90d"),
                        (("add", "--role", "public", "--name", "x", "--scope", "all"), "--scope names what is no scope"),
                        (("add", "--role", "public", "--name", "x" * 65), "1 to 64 bytes"), (("revoke",), "the id is missing"),
                        (("revoke", "x"), "is a number"), (("list", "--role", "public"), "belong to token add"), (("burn",), "expected add")):
        done = strict.command(*words)
        assert done.returncode == 64 and said in done.stderr.splitlines()[0] and done.stdout == "", words
    done = strict.command("revoke", "7")
    assert done.returncode == 78 and "there is no token 7" in done.stderr
    assert strict.command("list").stdout.count("\n") == 1


def test_a_restored_backup_brings_no_revoked_token_back(strict):
    token = strict.add("operator")
    backup = strict.stage.folder / "backup.db"
    assert run([strict.collector.program, "backup", "--config", strict.collector.settings, "-o", backup]).returncode == 0
    assert strict.command("revoke", "1").returncode == 0
    strict.collector.stop()
    assert run([strict.collector.program, "restore", "--config", strict.collector.settings, backup]).returncode == 0
    strict.collector.start()
    assert strict.ask("GET", "/api/v1/live", bearer(token))[0] == 401
    # Nor may a backup take its place.
    done = run([strict.collector.program, "backup", "--config", strict.collector.settings, "-o", strict.access, "--force"])
    assert done.returncode == 64 and "belongs to the database" in done.stderr


def test_a_damaged_file_of_tokens_opens_nothing(strict):
    token = strict.add("operator")
    strict.access.unlink()
    strict.access.write_bytes(b"not a database" * 100)
    assert strict.ask("GET", "/api/v1/live", bearer(token))[0] == 503
    assert strict.ask("GET", "/api/v1/live")[0] == 401
    assert strict.ask("GET", "/livez")[0] == 200
