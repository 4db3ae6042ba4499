"""What a visitor downloads, and how long an operator waits for a page, in a park of many meters, in a real browser."""

from __future__ import annotations

import sys
import time
import urllib.request
from pathlib import Path

from figures import Figure
from harness.parkmon import new_collector, release_folder
from harness.process import wait_until
from harness.servers import SOURCE
from load import Load, Sender, metered, wait_subscribed, write_park

sys.path.insert(0, str(SOURCE / "tests/browser"))
from webdriver import Browser  # noqa: E402 (it stands beside the browser tests)

PER_METER = 2  # points: a register and its power
STEPS = 8      # readings of each: 80 s
SHOWN = "document.getElementById('shown').hidden === false"
# By where it is: when somebody can use it.
PAGES = {"/ops": SHOWN, "/ops/meters": f"{SHOWN} && document.querySelectorAll('#meters tbody tr').length > 0", "/ops/energy?length=day": "document.body.dataset.shown !== undefined"}
# Until what follows is there, too: charts, what it came to, where it flows.
WHOLE = {"/ops/energy?length=day": "document.body.dataset.drawn !== undefined"}


def wire_bytes(port: int, browser, path: str) -> int:
    """Of all that the page asks for: bodies and heads."""
    browser.open(f"http://127.0.0.1:{port}{path}")
    total = 0
    for url in dict.fromkeys(browser.requests()):
        with urllib.request.urlopen(url, timeout=10) as answer:
            total += len(answer.read()) + len(str(answer.headers)) + len("HTTP/1.1 200 OK\r\n")
    return total


def wait_quiet(port: int) -> None:
    """What the page before asked for is answered: those who read months wait for each other."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/energy?from=2026-01-01&to=2026-01-02", timeout=60) as answer:
        answer.read()


def usable_ms(port: int, browser, path: str, is_usable: str) -> float:
    browser.open("about:blank")
    wait_quiet(port)
    browser.command("Network.clearBrowserCache")
    began = time.monotonic()
    browser.open(f"http://127.0.0.1:{port}{path}")
    while not browser.run(f"return {is_usable}"):
        assert time.monotonic() - began < 60, f"{path} is not usable within a minute"
        time.sleep(0.005)
    return (time.monotonic() - began) * 1000


def measure(stage, size) -> list[Figure]:
    meters, rounds = (200, 1) if size.readings < 1_000_000 else (2000, 5)
    load = Load(PER_METER * meters * STEPS, PER_METER * meters)
    broker = stage.broker(*load.gateways)
    park = write_park(stage.folder / "park.cfg", load.gateways, metered(load))
    collector = stage.add(new_collector(stage.folder / "collector", broker, stage.influx(), park, build=release_folder()))
    collector.start()
    wait_subscribed(collector)
    Sender(broker, load).send(None, 120)
    wait_until(lambda: collector.metric("parkmon_ledger_backlog_batches") == 0, 60, "the ledger has folded the load", poll=0.2)
    profile = Path(stage.folder) / "browser"
    profile.mkdir()
    with Browser(profile) as browser:
        browser.size(1280)
        bytes_ = wire_bytes(collector.port, browser, "/?lang=zh")
        taken, whole = ({path: sorted(usable_ms(collector.port, browser, f"{path}{'&' if '?' in path else '?'}lang=zh", is_there) for _ in range(rounds))
                         for path, is_there in pages.items()} for pages in (PAGES, WHOLE))
        blank = sorted(usable_ms(collector.port, browser, "/login?lang=zh", "true") for _ in range(rounds))
    figures = [Figure("pages", "the visitors' page and all that it asks for", "kB", bytes_ / 1000, bar=50, reference="no reference")]
    for path, runs in taken.items():
        figures.append(Figure("pages", f"{path.partition('?')[0]} with {meters} meters, until it can be used", "ms", runs[len(runs) // 2], bar=1000,
                              reference=f"a page with a form alone, in the same browser: {blank[len(blank) // 2]:.0f} ms", runs=runs))
    for path, runs in whole.items():
        figures.append(Figure("pages", f"{path.partition('?')[0]} with {meters} meters, until all of it is drawn", "ms", runs[len(runs) // 2],
                              reference=f"a page with a form alone, in the same browser: {blank[len(blank) // 2]:.0f} ms", runs=runs))
    return figures
