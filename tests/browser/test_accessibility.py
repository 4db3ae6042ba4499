"""axe-core on every page, in both languages, light and dark: nothing serious. The policy of the pages stays in force: the checks come by the
browser's debugger, as a person's own tools do."""

from __future__ import annotations

import pytest
from harness.npm import modules
from test_energy import history  # noqa: F401 (a fixture)

SHOWN = "document.getElementById('shown').hidden === false"
DRAWN = "document.body.dataset.drawn !== undefined"
# By where it is: when it is complete.
VIEWS = {
    "/": "true", "/instruments/sem": "true", "/instruments/sem/label": "true", "/login": "true",
    "/ops": SHOWN, "/ops?view=screen": SHOWN, "/ops/energy?length=day": DRAWN, "/ops/occupancy?length=day": DRAWN,
    "/ops/instruments?id=sem": "document.getElementById('detail').dataset.drawn !== undefined", "/ops/meters": SHOWN, "/ops/gateways": SHOWN,
    "/ops/exceptions": "true", "/ops/outages": "true", "/ops/alarms": "true",
}
CHECK = "return axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations.map((v) => [v.impact, v.id, v.nodes.map((n) => n.html.slice(0, 160))]))"


@pytest.fixture(scope="module")
def axe() -> str:
    return (modules() / "axe-core/axe.min.js").read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", VIEWS)
def test_nothing_serious_is_found(history, browser, axe, path, lang, scheme):  # noqa: F811
    browser.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    try:
        browser.size(1280)
        browser.open(f"{history.http_url}{path}{'&' if '?' in path else '?'}lang={lang}")
        browser.wait(VIEWS[path], 30)
        browser.run(axe + "; return true")
        found = [one for one in browser.run(CHECK) if one[0] in ("serious", "critical")]
        assert found == []
    finally:
        browser.command("Emulation.setEmulatedMedia", features=[])


def test_the_checks_find_what_is_there(history, browser, axe):  # noqa: F811
    browser.open(f"{history.http_url}/?lang=en")
    browser.run("document.body.append(document.createElement('img')); const b = document.createElement('button'); document.body.append(b)")
    browser.run(axe + "; return true")
    assert {"image-alt", "button-name"} <= {one[1] for one in browser.run(CHECK)}
