"""Reads QR codes of SVG files: the folder of them is the second argument, each <n>.svg is one. Prints what each says, in order, as read by
libzbar from the picture that the path draws, or nothing where it is read as no code."""

from __future__ import annotations

import ctypes
import re
import sys
from pathlib import Path

SCALE = 5  # pixels of a module


class Scanner:
    def __init__(self):
        self.zbar = ctypes.CDLL("libzbar.so.0")
        for name in ("zbar_image_scanner_create", "zbar_image_create", "zbar_image_first_symbol", "zbar_symbol_next"):
            getattr(self.zbar, name).restype = ctypes.c_void_p
        self.zbar.zbar_symbol_get_data.restype = ctypes.c_char_p
        self.scanner = ctypes.c_void_p(self.zbar.zbar_image_scanner_create())
        self.zbar.zbar_image_scanner_set_config(self.scanner, 0, 0, 0)  # no code of any kind,
        self.zbar.zbar_image_scanner_set_config(self.scanner, 64, 0, 1)  # but ZBAR_QRCODE

    def read(self, rows: list[bytearray]) -> list[str]:
        data = bytes(b"".join(rows))
        image = ctypes.c_void_p(self.zbar.zbar_image_create())
        self.zbar.zbar_image_set_format(image, ctypes.c_ulong(int.from_bytes(b"Y800", "little")))
        self.zbar.zbar_image_set_size(image, len(rows[0]), len(rows))
        self.zbar.zbar_image_set_data(image, data, ctypes.c_ulong(len(data)), None)
        self.zbar.zbar_scan_image(self.scanner, image)
        found, symbol = [], self.zbar.zbar_image_first_symbol(image)
        while symbol:
            found.append(self.zbar.zbar_symbol_get_data(ctypes.c_void_p(symbol)).decode())
            symbol = self.zbar.zbar_symbol_next(ctypes.c_void_p(symbol))
        self.zbar.zbar_image_destroy(image)
        return found


def picture(svg: str) -> list[bytearray]:
    """Gray values; grey where nothing is drawn, so that a quiet zone that is missing is seen."""
    size = int(re.search(r'viewBox="0 0 (\d+) \1"', svg).group(1))
    rows = [bytearray(b"\x80" * size) for _ in range(size)]
    for colour, path in re.findall(r'<path fill="#(\w+)" d="([^"]*)"', svg):
        for x, y, width, height, back in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-(\d+)z", path):
            assert width == back
            for row in range(int(y), int(y) + int(height)):
                rows[row][int(x):int(x) + int(width)] = (b"\0" if colour == "000" else b"\xff") * int(width)
    return [bytearray(byte for byte in row for _ in range(SCALE)) for row in rows for _ in range(SCALE)]


if __name__ == "__main__":
    scanner = Scanner()
    for file in sorted(Path(sys.argv[2]).glob("*.svg"), key=lambda path: int(path.stem)):
        print("|".join(scanner.read(picture(file.read_text()))))
