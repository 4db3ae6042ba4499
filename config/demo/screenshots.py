"""Pictures of the demo's pages: each in both languages, on a desk and on a phone, and the wall."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from harness.servers import SOURCE

sys.path.insert(0, str(SOURCE / "tests/browser"))

from webdriver import Browser  # noqa: E402 (it stands beside the tests)

DESK, PHONE, WALL = (1280, 900), (390, 844), (1920, 1080)
READY = "document.fonts.status === 'loaded'"
SHOWN = "document.getElementById('shown').hidden === false"
# In the first quarter hour of a day nothing of it is over.
TODAY_KNOWN = "(document.getElementById('today').textContent !== '–' || document.getElementById('as-of').textContent.slice(11, 16) < '00:15')"
LOAD_DRAWN = "document.querySelector('#load canvas') !== null"
DRAWN = "document.body.dataset.drawn !== undefined"
# By the picture's name: where it is, and when it is complete.
PAGES = {
    "visitors": ("/", READY),
    "instrument": ("/instruments/sem", READY),
    "label": ("/instruments/sem/label", READY),
    "overview": ("/ops", f"{SHOWN} && {TODAY_KNOWN} && {LOAD_DRAWN}"),
    "energy": ("/ops/energy", f"{DRAWN} && document.getElementById('calendar').dataset.drawn !== undefined"),
    "occupancy": ("/ops/occupancy", DRAWN),
    "instruments": ("/ops/instruments?id=sem", "document.getElementById('detail').dataset.drawn !== undefined"),
    "meters": ("/ops/meters", SHOWN),
    "gateways": ("/ops/gateways", SHOWN),
    "exceptions": ("/ops/exceptions", READY),
    "outages": ("/ops/outages", READY),
    "alarms": ("/ops/alarms", READY),
    "report": ("/audit/jiashan/{month}", READY),
}
WALL_PAGE = ("/ops?view=screen", f"{SHOWN} && document.querySelectorAll('#board li').length > 0 && {LOAD_DRAWN}")


def camera(profile: Path) -> Browser:
    """Without scrollbars, by whose width a picture would be narrower than its window."""
    return Browser(profile, flags=("--hide-scrollbars",))


def take(browser: Browser, url: str, page: tuple[str, str], language: str, size: tuple[int, int], path: Path) -> Path:
    address, is_complete = page
    browser.size(*size)
    browser.open(f"{url}{address}{'&' if '?' in address else '?'}lang={language}")
    browser.wait(is_complete, 30)
    browser.picture(path)
    return path


def take_all(url: str, month: str, token: str, folder: Path) -> list[Path]:
    """The pictures, in `folder`: <page>-<language>-<desk|phone|wall>.png."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    with tempfile.TemporaryDirectory() as profile, camera(Path(profile)) as browser:
        browser.open(f"{url}/login")
        browser.run("document.getElementById('token').value = arguments[0]; document.querySelector('form').submit()", token)
        browser.wait("document.getElementById('token') === null")
        for language in ("zh", "en"):
            for name, (address, is_complete) in PAGES.items():
                page = (address.format(month=month), is_complete)
                for kind, size in (("desk", DESK), ("phone", PHONE)):
                    taken.append(take(browser, url, page, language, size, folder / f"{name}-{language}-{kind}.png"))
            taken.append(take(browser, url, WALL_PAGE, language, WALL, folder / f"wall-{language}-wall.png"))
    return taken
