"""As much of the W3C WebDriver protocol as our pages need, over Debian's chromedriver."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
from pathlib import Path

from harness.process import Program, free_port

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-dev-shm-usage"]


class Driver(Program):
    """chromedriver."""

    def __init__(self, folder: Path):
        self.port = free_port()
        super().__init__("chromedriver", folder, ["/usr/bin/chromedriver", f"--port={self.port}"])

    def is_ready(self) -> bool:
        if not self.listens(self.port):
            return False
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/status", timeout=10) as answer:
            return json.load(answer)["value"]["ready"]


class Browser:
    """One window. Every request that pages make, and every console line, is kept by the browser for `log` and `requests`."""

    def __init__(self, folder: Path, language: str = "en-US", flags: tuple[str, ...] = ()):
        self.session = ""
        self.profile = folder / "profile"
        self.driver = Driver(folder).start()
        try:
            options = {"args": [*FLAGS, *flags, f"--user-data-dir={self.profile}", f"--accept-lang={language}"],
                       "binary": "/usr/bin/chromium"}
            wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
            self.session = self.call("POST", "", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        if self.session:
            self.call("DELETE", "")
            self.session = ""
        self.driver.stop(expect=None)

    def call(self, method: str, path: str, body: dict | None = None):
        url = f"http://127.0.0.1:{self.driver.port}/session" + (f"/{self.session}" if self.session else "") + path
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"]) from None

    def command(self, name: str, **parameters):
        """A command of the DevTools protocol."""
        return self.call("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def size(self, width: int, height: int = 900) -> None:
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, url: str) -> None:
        self.log("performance")  # what the browser asked for before is not the page's doing
        self.call("POST", "/url", {"url": url})

    def run(self, script: str, *arguments):
        """The value of a function's body."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, expression: str, seconds: float = 15):
        """The first true value of an expression."""
        deadline = time.monotonic() + seconds
        while True:
            value = self.run(f"return {expression}")
            if value:
                return value
            assert time.monotonic() < deadline, f"not within {seconds} s: {expression}"
            time.sleep(0.05)

    def log(self, kind: str = "browser") -> list[dict]:
        """What is new since the last call: console lines, or DevTools events ("performance")."""
        return self.call("POST", "/se/log", {"type": kind})

    def requests(self) -> list[str]:
        """The addresses that pages asked for since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def picture(self, path: Path) -> None:
        """The whole page. Its size is asked for: left to itself the browser may take that of before the page was laid out."""
        content = self.command("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": content["width"], "height": content["height"], "scale": 1}
        data = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        path.write_bytes(base64.b64decode(data))
