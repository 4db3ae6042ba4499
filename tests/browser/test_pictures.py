"""The pictures of the demo are as wide as the windows that they show, also of a page that is longer."""

from __future__ import annotations

import struct
import sys

from harness.servers import SOURCE

sys.path.insert(0, str(SOURCE / "config/demo"))

from screenshots import DESK, PAGES, PHONE, camera, take  # noqa: E402 (it stands beside the demo)


def test_a_picture_is_as_wide_as_its_window(park, tmp_path):
    with camera(tmp_path) as browser:
        for size in (DESK, PHONE):
            picture = take(browser, park.http_url, PAGES["meters"], "zh", size, tmp_path / "meters.png").read_bytes()
            width, height = struct.unpack(">II", picture[16:24])
            assert width == size[0] and height > size[1]
