"""Settings that fit the simulated park: one agent file a gateway, and the park model."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from sim.calendar import EPOCH, EPOCH_TEXT
from sim.desk import OWNER, PURPOSES, point
from sim.park import BUILDINGS, CATEGORIES, SITE, TENANTS, Device, Gateway, InstrumentEntry, Meter, Park, Point, SpaceEntry

INT32_MAX = 2**31 - 1
# Base units that flow in an hour at a rate of one W or L/h.
PER_HOUR = {"electricity": 1, "heat": 3600, "cooling": 3600, "water": 1, "gas": 1}
GATEWAYS = {"b1": "gw-a", "b2": "gw-b"}  # by building
SEQUENCES = {list: "[{}]", tuple: "( {} )"}
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


def group(**keys: str | int | float | list | tuple | None) -> str:
    """`{ key = value; ... }`; None is left out, a list of strings is an array, a tuple a list; trailing underscores keep
    Python's words apart."""
    parts = []
    for key, value in keys.items():
        if value is None:
            continue
        shown = SEQUENCES[type(value)].format(", ".join(map(text, value))) if type(value) in SEQUENCES else text(value)
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


def desk_settings(instruments: list[InstrumentEntry], socket: str) -> str:
    listed = ",\n      ".join(group(name=entry.id, point=point(entry.id)) for entry in instruments)
    return (f'sources = (\n  {{ name = "desk"; source = "session"; socket = {text(socket)}; purposes = [{", ".join(map(text, PURPOSES))}];\n'
            f"    instruments = (\n      {listed} ); }} );\n")


def agent_settings(gateway: Gateway, port: int, broker_host: str = "127.0.0.1", broker_port: int = 1883,
                   every: float | None = None, commit: float = 1.0, timeout: float = 0.5, is_anonymous: bool = False, more: str = "") -> str:
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
            f"timeout = {text(float(timeout))};\n    devices = (\n{devices} ); }} );\n{more}")


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


def sensor(space: SpaceEntry, name: str, kind: str, **more) -> str:
    return group(point=f"{GATEWAYS[space.building]}/{space.id.replace('-', '.')}.{name}", kind=kind, period=300, **more)


def space_settings(space: SpaceEntry) -> str:
    """Doors where the simulated devices count at them, else what sees people in the room."""
    head = group(id=space.id, building=space.building, name=space.name, name_en=space.name_en, capacity=space.capacity, open=space.open)
    if space.has_doors:
        wire = f"{GATEWAYS[space.building]}/{space.id.replace('-', '.')}"
        door = group(id="main", name="正门", name_en="Main door", in_=f"{wire}.in", out=f"{wire}.out")
        return f"{head[:-2]}\n    doors = ( {door} ); }}"
    return f"{head[:-2]}\n    sensors = ( {sensor(space, 'people', 'count')},\n      {sensor(space, 'motion', 'binary')} ); }}"


def instrument_settings(entry: InstrumentEntry, has_desk: bool, has_calendar: bool) -> str:
    """Thresholds between what it draws in its states, whose power wobbles by some percent."""
    off, standby, running = entry.model.watts
    idle, busy = standby * 1.07, running * .93
    training, training_en = entry.training or (None, None)
    return group(id=entry.id, building="b2", space=entry.space, category=entry.category, name=entry.name, name_en=entry.name_en, model=entry.product,
                 owner="嘉善科创园测试中心", owner_en="Jiashan Science Park, test centre", owner_code=OWNER, contact="测试中心 8123",
                 location="2号楼", location_en="Building 2", booking_url=f"https://lab.example/{entry.id}", training=training,
                 training_en=training_en, charges="每小时 200 元", charges_en="200 yuan an hour", shared=True, open="08:00-22:00",
                 minimum_slot=1800, rated_hours=1400, meter=f"b2-{entry.id}", power_period=120, off_w=round((off * 1.07 + standby * .93) / 2),
                 standby_w=round(idle), exit_w=round(idle + (busy - idle) * .3), enter_w=round(idle + (busy - idle) * .6), enter_s=10, exit_s=180,
                 off_means="needs_warmup" if entry.model.rests else "available", max_session=43200, preparation=1800, post_processing=1800, pause=900,
                 grace=900, session=f"gw-b/{point(entry.id)}" if has_desk else None, calendar=entry.id if has_calendar else None,
                 requires=("b2-chilled",) if entry.id in ("tem", "nmr") else None, uses=("b2-argon",) if entry.id == "sem" else None)


RESOURCES = [group(id="b2-chilled", building="b2", name="实验楼冷冻水", name_en="Laboratory building, chilled water", kind="chilled_water",
                   point="gw-b/b2.chiller", up=("on",), down=("off",), period=300),
             group(id="b2-argon", building="b2", name="实验楼氩气", name_en="Laboratory building, argon", kind="gas", contact="设备科 8000")]


def park_settings(park: Park, has_desk: bool = False, calendars: str | None = None) -> str:
    instruments = park.instruments
    return "\n".join([
        "# The simulated park.",
        listed("sites", [group(**SITE)]),
        listed("buildings", [group(site=SITE["id"], **building) for building in BUILDINGS]),
        listed("tenants", [group(**tenant) for tenant in TENANTS]),
        listed("gateways", [group(id=gateway.id, site=SITE["id"], building=gateway.building, name=gateway.name,
                                  name_en=gateway.name_en) for gateway in park.gateways]),
        listed("spaces", map(space_settings, park.spaces)),
        listed("meters", map(meter_settings, park.meters)),
        listed("resources", RESOURCES),
        listed("calendars", [group(id=entry.id, name=f"{entry.name}预约", name_en=f"Bookings: {entry.name_en}", site=SITE["id"],
                                   file=f"{calendars}/{entry.id}.ics", every=60) for entry in instruments]) if calendars else "",
        listed("categories", [group(id=id, name=name, name_en=name_en) for id, name, name_en in CATEGORIES]),
        listed("instruments", [instrument_settings(entry, has_desk, calendars is not None) for entry in instruments]),
    ])


def write_agent(gateway: Gateway, ports: dict[str, int], folder: str | Path, **agent_options) -> None:
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = agent_settings(gateway, ports[gateway.id], **agent_options)
    (folder / f"{gateway.id}.cfg").write_text(text, encoding="utf-8")


def write(park: Park, ports: dict[str, int], folder: str | Path, desk: str | None = None, calendars: str | None = None, **agent_options) -> None:
    """gw-a.cfg, gw-b.cfg and park.cfg; the options are those of agent_settings. `desk`: the socket of gw-b's card readers; `calendars`:
    the folder of the bookings; None = nothing is told of them."""
    for gateway in park.gateways:
        more = desk_settings(park.instruments, desk) if desk and gateway.id == "gw-b" else ""
        write_agent(gateway, ports, folder, more=more, **agent_options)
    (Path(folder) / "park.cfg").write_text(park_settings(park, desk is not None, calendars), encoding="utf-8")
