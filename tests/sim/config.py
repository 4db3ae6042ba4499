"""Settings that fit the simulated park: one agent file a gateway, and the park model."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from sim.calendar import EPOCH, EPOCH_TEXT
from sim.park import BUILDINGS, SITE, TENANTS, Device, Gateway, Meter, Park, Point

INT32_MAX = 2**31 - 1
# Base units that flow in an hour at a rate of one W or L/h.
PER_HOUR = {"electricity": 1, "heat": 3600, "cooling": 3600, "water": 1, "gas": 1}
YEARS_COUNTED = 5  # registers of floats are coarser the more they count: resolution is given for this long


def text(value: str | int | float | bool) -> str:
    """A value as libconfig reads it; strings are quoted as in JSON, which agrees on quotes and backslashes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) > INT32_MAX:
        return f"{value}L"
    return repr(value)


def group(**keys: str | int | float | list | None) -> str:
    """`{ key = value; ... }`; None is left out, a list of strings is an array; trailing underscores keep Python's
    words apart."""
    parts = []
    for key, value in keys.items():
        if value is None:
            continue
        shown = f"[{', '.join(text(item) for item in value)}]" if isinstance(value, list) else text(value)
        parts.append(f"{key.rstrip('_')} = {shown};")
    return "{ " + " ".join(parts) + " }"


def listed(name: str, items: Iterable[str]) -> str:
    return f"{name} = (\n  " + ",\n  ".join(items) + "\n);\n"


def point_settings(point: Point) -> str:
    format = point.format
    is_state = format.kind == "state"
    return group(name=point.name, kind=format.kind, function=point.function, address=point.address, type=format.type,
                 order=format.order or None, unit=None if is_state else format.unit,
                 scale=None if format.scale == "1" else format.scale, states=list(format.states) if is_state else None)


def device_settings(device: Device, every: float | None) -> str:
    points = ",\n          ".join(point_settings(point) for point in device.points)
    return (f"      {{ name = {text(device.name)}; unit = {device.unit}; every = {text(every or device.every)}; "
            f"prefix = {text(device.prefix)};\n        points = (\n          {points} ); }}")


def agent_settings(gateway: Gateway, port: int, broker_host: str = "127.0.0.1", broker_port: int = 1883,
                   every: float | None = None, commit: float = 1.0, timeout: float = 0.5, is_anonymous: bool = False) -> str:
    """One bus with all devices of a gateway. `every`: one period for all devices; None = each its own."""
    user = "" if is_anonymous else f' user = {text(gateway.id)}; password_file = {text(gateway.id + ".password")};'
    devices = ",\n".join(device_settings(device, every) for device in gateway.devices)
    return (f"# {gateway.name_en} of the simulated park.\n"
            f"gateway = {text(gateway.id)};\n"
            'clock = "trusted";\n'
            f"broker: {{ host = {text(broker_host)}; port = {broker_port};{user} }};\n"
            f'spool: {{ path = {text(gateway.id + ".spool")}; commit = {text(float(commit))}; }};\n'
            "buses = (\n"
            f'  {{ name = "{gateway.building or gateway.id}-tcp"; driver = "modbus_tcp"; host = "127.0.0.1"; port = {port}; '
            f"timeout = {text(float(timeout))};\n    devices = (\n{devices} ); }} );\n")


def meter_settings(meter: Meter) -> str:
    format = meter.register.format
    max_rate = round(meter.peak_rate * PER_HOUR[meter.carrier])
    segment = group(serial=meter.serial, from_=EPOCH_TEXT, point=f"{meter.gateway}/{meter.register.wire}",
                    start=meter.register.value(EPOCH), resolution=format.resolution(max_rate * 8760 * YEARS_COUNTED // 4),
                    max_rate=max_rate, modulus=format.modulus(), ct=meter.ratio,
                    registers="primary" if meter.ratio else None)
    head = group(id=meter.id, building=meter.building, name=meter.name, name_en=meter.name_en, carrier=meter.carrier,
                 item=meter.item, parent=meter.parent, tenant=meter.tenant,
                 power=f"{meter.gateway}/{meter.power.wire}" if meter.power else None)
    return f"{head[:-2]}\n    segments = ( {segment} ); }}"


def park_settings(park: Park) -> str:
    return "\n".join([
        "# The simulated park. Instruments stand here by their plug meters.",
        listed("sites", [group(**SITE)]),
        listed("buildings", [group(site=SITE["id"], **building) for building in BUILDINGS]),
        listed("tenants", [group(**tenant) for tenant in TENANTS]),
        listed("gateways", [group(id=gateway.id, site=SITE["id"], building=gateway.building, name=gateway.name,
                                  name_en=gateway.name_en) for gateway in park.gateways]),
        listed("spaces", [group(id=space.id, building=space.building, name=space.name, name_en=space.name_en,
                                capacity=space.capacity, open=space.open) for space in park.spaces]),
        listed("meters", [meter_settings(meter) for meter in park.meters]),
    ])


def write_agent(gateway: Gateway, ports: dict[str, int], folder: str | Path, **agent_options) -> None:
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = agent_settings(gateway, ports[gateway.id], **agent_options)
    (folder / f"{gateway.id}.cfg").write_text(text, encoding="utf-8")


def write(park: Park, ports: dict[str, int], folder: str | Path, **agent_options) -> None:
    """gw-a.cfg, gw-b.cfg and park.cfg; the options are those of agent_settings."""
    for gateway in park.gateways:
        write_agent(gateway, ports, folder, **agent_options)
    (Path(folder) / "park.cfg").write_text(park_settings(park), encoding="utf-8")
