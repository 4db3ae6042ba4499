"""The campaign's devices: tests/sim serves them and logs every answer before it is sent.

A device counts its polls. The n-th answer carries n as a register, n + 0.5 as a gauge, and as a state one of STATES texts
in turn, a new one every POLLS_PER_STATE polls: each answer is known again wherever it turns up.

    python3 -m campaign.devices --log FILE --ports-file FILE --control-socket PATH
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from sim.park import Device, Gateway, Point  # noqa: E402
from sim.registers import Format  # noqa: E402
from sim.serve import Clock, serve  # noqa: E402

GATEWAYS = ("gw-1", "gw-2", "gw-3", "gw-4")
DEVICES = ("m1", "m2", "m3")
POLLS_PER_STATE = 4
STATES = tuple(f"s{i:03d}" for i in range(251))


class Count:
    """One device's polls; each is one request, as all points lie side by side."""

    def __init__(self):
        self.n = 0

    def poll(self, _address: int, _count: int) -> None:
        self.n += 1

    def register(self, _time_ms: int) -> int:
        return self.n

    def gauge(self, _time_ms: int) -> float:
        return self.n + 0.5

    def state(self, _time_ms: int) -> int:
        return self.n // POLLS_PER_STATE % len(STATES)


def make_device(name: str, unit: int) -> Device:
    count = Count()
    points = [Point("", "holding", 0, Format("register", "u64", "count"), count.register),
              Point("level", "holding", 4, Format("gauge", "f64", "W"), count.gauge),
              Point("state", "holding", 8, Format("state", "u16", states=STATES), count.state)]
    return Device(name, unit, name, 1.0, points, count.poll)


def make_gateway(name: str) -> Gateway:
    return Gateway(name, "b1", name, name, [make_device(device, i + 1) for i, device in enumerate(DEVICES)])


def main() -> int:
    parser = argparse.ArgumentParser()
    for option in ("--log", "--ports-file", "--control-socket"):
        parser.add_argument(option, required=True)
    options = parser.parse_args()
    return serve([make_gateway(name) for name in GATEWAYS], options.log, options.ports_file, Clock(), options.control_socket)


if __name__ == "__main__":
    sys.exit(main())
