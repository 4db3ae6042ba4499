"""Products of decimals, rounded once, by Python's decimal module at a precision that rounds nothing else.

    oracle_decimal.py SEED

Lines:  VALUE SCALE VALUE SCALE RESULT_SCALE RESULT    (RESULT is - where it is beyond 64 bits)
        text TEXT VALUE SCALE
"""

from __future__ import annotations

import random
import sys
from decimal import ROUND_HALF_UP, Decimal, getcontext

getcontext().prec = 100


def draw_value(draw: random.Random) -> int:
    kind = draw.randrange(5)
    if kind == 0:
        return draw.choice([0, 1, -1, 2**63 - 1, -(2**63), 10**18, -(10**18), 5, -5, 15, 25, -25])
    if kind == 1:
        return draw.randrange(-1000, 1000)
    return draw.randrange(-(2 ** draw.randrange(1, 63)), 2 ** draw.randrange(1, 63))


def main() -> None:
    draw = random.Random(int(sys.argv[1]))
    for _ in range(20000):
        a, b = draw_value(draw), draw_value(draw)
        a_scale, b_scale, scale = (draw.randrange(10) for _ in range(3))
        if draw.randrange(4) == 0:  # a result that ends in exactly a half
            a, b, a_scale, b_scale, scale = 5 * draw.randrange(-(10**9), 10**9), draw.randrange(-99, 99, 2), 1, 2, 2
        exact = Decimal(a).scaleb(-a_scale) * Decimal(b).scaleb(-b_scale)
        # ROUND_HALF_UP of Python is half away from zero.
        result = int(exact.scaleb(scale).quantize(Decimal(1), rounding=ROUND_HALF_UP))
        print(a, a_scale, b, b_scale, scale, result if -(2**63) <= result < 2**63 else "-")
    for _ in range(5000):
        scale = draw.randrange(10)
        value = draw.randrange(-(10 ** draw.randrange(1, 19)) + 1, 10 ** draw.randrange(1, 19))
        if len(str(abs(value))) < scale + 1 and scale + 1 > 18:
            continue
        print("text", f"{Decimal(value).scaleb(-scale):f}", value, scale)


main()
