"""Values to Modbus registers and back, for every encoding that meters of the simulated park use.

`encode` is what the device does; `decode` is what a correct reader must make of the words: for registers an exact
integer in base units (floats rounded to nearest), for gauges a float in base units, for states their text. Written
from the definitions, apart from the driver under test.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

# One of the unit, in base units (Wh, J, L, W, Celsius, counts, ppm, percent).
UNITS = {"Wh": 1, "kWh": 10**3, "MWh": 10**6, "J": 1, "kJ": 10**3, "MJ": 10**6, "GJ": 10**9, "L": 1, "m3": 1000,
         "count": 1, "W": 1, "kW": 10**3, "MW": 10**6, "degC": 1, "ppm": 1, "%": 1}

COUNT_MAX = 10**15  # no register of the park counts further

# Type: bytes, and how Python's struct names it (None: digits; "bit": a coil or discrete input).
TYPES = {"u16": (2, "H"), "s16": (2, "h"), "u32": (4, "I"), "s32": (4, "i"), "u64": (8, "Q"), "s64": (8, "q"),
         "f32": (4, "f"), "f64": (8, "d"), "bcd16": (2, None), "bcd32": (4, None), "bcd64": (8, None), "bit": (0, None)}


@dataclass(frozen=True)
class Format:
    """`order` names the value's bytes, A = most significant, in the order in which they arrive; "" = A B C D ...

    `scale` is a decimal: the raw number times scale, in `unit`, is the value."""

    kind: str  # register, gauge, state
    type: str
    unit: str = ""
    scale: str = "1"
    order: str = ""
    states: tuple[str, ...] = ()

    def __post_init__(self):
        size = TYPES[self.type][0]
        if self.order and sorted(self.order) != sorted("ABCDEFGH"[:size]):
            raise ValueError(f"order {self.order} does not name the {size} bytes of {self.type}")
        if self.kind != "state" and self.unit not in UNITS:
            raise ValueError(f"unit {self.unit} is not known")
        # Computed once: this is asked for at every answer.
        step = Fraction(self.scale) * UNITS.get(self.unit, 1)
        object.__setattr__(self, "step", step)
        object.__setattr__(self, "permutation", [ord(letter) - ord("A") for letter in self.order])

    @property
    def words(self) -> int:
        return TYPES[self.type][0] // 2 or 1

    def encode(self, value: int | float) -> tuple[int, ...]:
        """`value`: base units, or the index of a state."""
        if self.type == "bit":
            return (1 if value else 0,)
        size, code = TYPES[self.type]
        if code in ("f", "d"):
            data = self._float(value, code)
        else:
            raw = value * self.step.denominator / self.step.numerator if isinstance(value, float) \
                else value * self.step.denominator // self.step.numerator
            raw = round(raw)
            data = struct.pack(">" + code, raw) if code else bytes.fromhex(f"{raw:0{2 * size}d}")
        if self.permutation:
            data = bytes(data[i] for i in self.permutation)
        return struct.unpack(f">{size // 2}H", data)

    def decode(self, words: tuple[int, ...] | list[int]) -> int | float | str:
        if self.kind == "state":
            return self.states[self._raw(words)]
        raw = self._raw(words)
        exact = Fraction(raw) * self.step
        return nearest(exact) if self.kind == "register" else float(exact)

    def resolution(self, largest: int) -> int:
        """The smallest step in base units, for counts up to `largest`; floats step coarser the larger they are."""
        if self.type == "f32":
            return max(1, nearest(Fraction(float_steps(float(largest / self.step))) * self.step))
        return max(1, nearest(self.step)) if self.type != "f64" else 1

    def modulus(self) -> int | None:
        """The count in base units at which the digits or bits start again from 0; None = they hold all that counts
        (10^15)."""
        size, code = TYPES[self.type]
        if code in ("f", "d", "h", "i", "q"):
            return None
        modulus = nearest((10 ** (2 * size) if code is None else 1 << 8 * size) * self.step)
        return modulus if modulus <= COUNT_MAX else None

    def _raw(self, words) -> int | float:
        if self.type == "bit":
            return words[0]
        size, code = TYPES[self.type]
        data = struct.pack(f">{size // 2}H", *words)
        if self.permutation:
            data = bytes(data[self.permutation.index(i)] for i in range(size))
        if code is None:
            return int(data.hex())
        return struct.unpack(">" + code, data)[0]

    def _float(self, value: int | float, code: str) -> bytes:
        data = struct.pack(">" + code, value / self.step)
        if self.kind == "register":
            # Exactly half a base unit could be rounded either way: this meter answers the float below instead.
            exact = Fraction(struct.unpack(">" + code, data)[0]) * self.step
            if exact > 0 and (2 * exact).denominator == 1 and (2 * exact).numerator % 2 == 1:
                data = (int.from_bytes(data, "big") - 1).to_bytes(len(data), "big")
        return data


def nearest(exact: Fraction) -> int:
    """To the nearest integer, half away from zero."""
    exact = Fraction(exact)
    whole = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return whole if exact >= 0 else -whole


def float_steps(value: float) -> float:
    """The distance of neighbouring 32-bit floats at this value."""
    (bits,) = struct.unpack(">I", struct.pack(">f", value))
    return struct.unpack(">f", struct.pack(">I", bits + 1))[0] - struct.unpack(">f", struct.pack(">I", bits))[0]
