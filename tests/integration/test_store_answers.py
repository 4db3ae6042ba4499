"""What InfluxDB itself answers to each kind of bad write: the table of tests/unit/collector/test_store_answer.c, held against the real one."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request

from harness.servers import SOURCE, Influx

TABLE = (SOURCE / "tests/unit/collector/test_store_answer.c").read_text()


def write(influx: Influx, lines: str, query: str = "db=p&rp=raw&precision=ms") -> tuple[int, str]:
    request = urllib.request.Request(f"{influx.url}/write?{query}", lines.encode())
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())["error"]


def is_in_table(code: int, text: str) -> bool:
    """As a C string of JSON."""
    escaped = json.dumps(json.dumps(text))[3:-3]
    joined = TABLE.replace('"\n        "', "")
    return f"{{ST_OK, {code}," in joined and escaped in joined


def test_its_answers_are_those_of_the_table(stage):
    influx = stage.influx()
    influx.query("CREATE DATABASE p")
    influx.query('CREATE RETENTION POLICY "raw" ON "p" DURATION 30d REPLICATION 1')
    now = int(time.time() * 1000)
    assert write(influx, f"gauge,point=p value=1 {now}")[0] == 204
    old = "\n".join(f"gauge,point=p value=1 {now - 40 * 86_400_000 + n}" for n in range(3))
    for expected, answer in (
            (400, write(influx, f"{old}\ngauge,point=p value=2 {now + 1}")),
            (400, write(influx, f"gauge,point=p value=1i {now}")),
            (400, write(influx, "x")),
            (400, write(influx, "", "precision=ms")),
            (404, write(influx, f"gauge,point=p value=1 {now}", "db=q&precision=ms")),
            (500, write(influx, f"gauge,point=p value=1 {now}", "db=p&rp=gone&precision=ms"))):
        code, text = answer
        assert code == expected, answer
        assert is_in_table(code, text.replace("\"q\"", "\"p\"").replace(": gone", ": raw")), answer
    # Those that it could write it wrote.
    assert influx.count("gauge", "p") == 2


def test_its_limits_are_told_as_in_the_table(stage):
    influx = stage.add(Influx(stage.folder / "small"))
    path = stage.folder / "small/influxdb.conf"
    path.write_text(path.read_text().replace("[data]\n", "[data]\n  max-values-per-tag = 2\n")
                    .replace("[http]\n", "[http]\n  max-body-size = 1000\n"))
    influx.start()
    influx.query("CREATE DATABASE p")
    influx.query('CREATE RETENTION POLICY "raw" ON "p" DURATION 30d REPLICATION 1')
    now = int(time.time() * 1000)
    assert write(influx, f"gauge,point=p value=1 {now}\ngauge,point=q value=1 {now}")[0] == 204
    code, text = write(influx, f"gauge,point=r value=1 {now}")
    assert code == 400 and text.startswith("partial write: max-values-per-tag limit exceeded"), text
    code, text = write(influx, "\n".join(f"gauge,point=p value=1 {now + n}" for n in range(100)))
    assert code == 413 and is_in_table(413, text), text
