"""The park itself: two buildings, 24 meters in two trees, 6 spaces, 8 instruments; and the devices that answer for
them. Card readers beside the instruments are in sim.desk.

    b1, gateway gw-a, research offices: 12 meters: main over light, two floors of sockets, air, lift, pump and data room;
                                        chilled water, heat, tap water, hot water
    b2, gateway gw-b, laboratories:     12 meters: main over light, air and the plug meters of the 8 instruments; gas

Each device has its own unit number behind its gateway's port. A point's wire name is the device's prefix, or
prefix.name. Makes of meters differ on purpose, so that types, byte orders, functions and scales are all met.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sim.calendar import key_of
from sim.instruments import OFF, STANDBY, Instrument
from sim.load import GRAINS_PER_J, GRAINS_PER_L, GRAINS_PER_WH, Leaf, Source, Sum, Use, Weather
from sim.people import Space
from sim.registers import Format

GRAINS = {"electricity": GRAINS_PER_WH, "heat": GRAINS_PER_J, "cooling": GRAINS_PER_J, "water": GRAINS_PER_L,
          "gas": GRAINS_PER_L}


@dataclass
class Point:
    """`read(time_ms)`: the quantity in base units, or the index of a state."""

    name: str
    function: str  # holding, input, coil, discrete
    address: int
    format: Format
    read: Callable[[int], int | float]
    wire: str = ""

    def words(self, time_ms: int) -> tuple[int, ...]:
        return self.format.encode(self.read(time_ms))

    def value(self, time_ms: int) -> int | float | str:
        """What a reader of the answer at this time must come to."""
        return self.format.decode(self.words(time_ms))


@dataclass
class Device:
    name: str
    unit: int
    prefix: str
    every: float  # seconds from poll to poll, as `sim config` writes it
    points: list[Point]
    before_read: Callable[[int, int], None] | None = None  # called with first address and count of each good request

    def __post_init__(self):
        for point in self.points:
            point.wire = f"{self.prefix}.{point.name}" if point.name else self.prefix


@dataclass
class Gateway:
    id: str
    building: str
    name: str
    name_en: str
    devices: list[Device] = field(default_factory=list)

    def points(self) -> list[Point]:
        return [point for device in self.devices for point in device.points]


@dataclass
class Meter:
    id: str
    building: str
    name: str
    name_en: str
    carrier: str
    item: str | None
    parent: str | None
    tenant: str | None
    gateway: str
    register: Point
    power: Point | None
    peak_rate: float  # W or L/h that it never exceeds
    ratio: str | None = None  # of its current transformer; the registers are primary all the same

    @property
    def serial(self) -> str:
        return f"SN-{key_of(0, self.id) % 10**8:08d}"


@dataclass
class SpaceEntry:
    id: str
    building: str
    name: str
    name_en: str
    capacity: int
    open: str | None
    model: Space

    @property
    def has_doors(self) -> bool:
        """Counted at its doors, not by what sees people in it."""
        return self.model.kind == "open" or self.capacity > 50


@dataclass
class InstrumentEntry:
    id: str
    name: str
    name_en: str
    model: Instrument
    category: str
    space: str | None
    product: str  # the maker's name of it
    training: tuple[str, str] | None  # that is needed, in both languages


SITE = {"id": "jiashan", "name": "嘉善科创园", "name_en": "Jiashan Science Park", "zone": "Asia/Shanghai",
        "region": "zhejiang", "headcount": 420}
BUILDINGS = [{"id": "b1", "name": "研发楼", "name_en": "Research building", "area": 12000},
             {"id": "b2", "name": "实验楼", "name_en": "Laboratory building", "area": 8600}]
TENANTS = [{"id": "acme-bio", "name": "艾克米生物", "name_en": "Acme Bio"},
           {"id": "yun-optics", "name": "云光精密", "name_en": "Yun Optics"}]

# id, names, watts (off, standby, running), minutes of a run, share of working days with runs, state at rest, category, space,
# product, training
INSTRUMENTS = [
    ("sem", "场发射扫描电镜", "Scanning electron microscope (FE-SEM)", (14, 1150, 2350), (50, 170), .85, STANDBY, "microscopy", "b2-r101", "FX-500", ("上机培训两次", "Two lessons")),
    ("tem", "透射电镜", "Transmission electron microscope (TEM)", (20, 2900, 4700), (90, 240), .7, STANDBY, "microscopy", "b2-r101", "TX-200", ("操作考核", "Operator's examination")),
    ("xrd", "X射线衍射仪", "X-ray diffractometer (XRD)", (9, 640, 3400), (40, 150), .8, OFF, "diffraction", None, "DX-8", ("辐射安全培训", "Radiation safety course")),
    ("nmr", "核磁共振波谱仪", "NMR 400 MHz", (1500, 1650, 2100), (20, 120), .95, STANDBY, "spectroscopy", None, "NR-400", None),
    ("lcms", "液相色谱质谱联用仪", "LC-MS", (12, 1350, 2050), (60, 260), .9, STANDBY, "chromatography", "b2-r210", "LM-6", None),
    ("confocal", "激光共聚焦显微镜", "Confocal microscope", (6, 260, 890), (45, 150), .75, OFF, "microscopy", "b2-r210", "CL-90",
     ("上机培训", "One lesson")),
    ("afm", "原子力显微镜", "AFM", (4, 95, 240), (60, 180), .6, OFF, "microscopy", None, "AM-3", None),
    ("raman", "拉曼光谱仪", "Raman spectrometer", (5, 120, 430), (30, 110), .65, OFF, "spectroscopy", "b2-r210", "RS-2", None),
]
CATEGORIES = [("microscopy", "显微成像", "Microscopy"), ("diffraction", "衍射", "Diffraction"), ("spectroscopy", "波谱与光谱", "Spectroscopy"),
              ("chromatography", "色谱与质谱", "Chromatography")]

# id, building, names, kind, capacity, opening hours
SPACES = [
    ("b1-hall", "b1", "一层大厅", "Entrance hall", "open", 160, None),
    ("b1-r205", "b1", "报告厅", "Lecture room", "meeting", 90, "08:00-21:00"),
    ("b1-r301", "b1", "三层会议室", "Meeting room 301", "meeting", 30, "08:00-18:00"),
    ("b2-r101", "b2", "电镜室", "Electron microscopy", "lab", 12, "08:00-22:00"),
    ("b2-r210", "b2", "生物实验室", "Biology laboratory", "lab", 24, "08:00-22:00"),
    ("b2-r305", "b2", "研讨室", "Seminar room", "meeting", 20, "08:00-20:00"),
]


class Park:
    def __init__(self, seed: int):
        self.seed = seed
        self.weather = Weather(seed)
        self.gateways = [Gateway("gw-a", "b1", "研发楼网关", "Research building gateway"),
                         Gateway("gw-b", "b2", "实验楼网关", "Laboratory building gateway")]
        self.meters: list[Meter] = []
        self.spaces = [SpaceEntry(id, building, name, name_en, capacity, hours,
                                  Space(seed, id, kind, capacity, self.weather))
                       for id, building, name, name_en, kind, capacity, hours in SPACES]
        self.instruments = [InstrumentEntry(id, name, name_en, Instrument(seed, id, watts, runs, use, rests), *more)
                            for id, name, name_en, watts, runs, use, rests, *more in INSTRUMENTS]
        self._offices(self.gateways[0])
        self._laboratories(self.gateways[1])
        for gateway in self.gateways:
            self._spaces(gateway)
        assert len(self.meters) == 24

    def gateway(self, id: str) -> Gateway:
        for gateway in self.gateways:
            if gateway.id == id:
                return gateway
        raise KeyError(f"no gateway {id}; there are {', '.join(gateway.id for gateway in self.gateways)}")

    def _use(self, name: str, base: float, peak: float, hours: str, **more) -> Use:
        return Use(self.seed, name, base, peak, hours, **more)

    def _offices(self, gateway: Gateway) -> None:
        cooling, heating = self.weather.cooling_need, self.weather.heating_need
        light = self._use("b1-light", 2600, 31000, "office", noise=.04)
        sockets = [self._use("b1-f1", 1900, 17000, "office", noise=.1),
                   self._use("b1-f2", 2400, 22000, "office", noise=.1)]
        air = self._use("b1-hvac", 1500, 62000, "office-air", noise=.08,
                        need=lambda day: .18 + .82 * max(cooling(day), heating(day)))
        lift = self._use("b1-lift", 350, 5200, "office", noise=.9, ripple=70)
        pump = self._use("b1-pump", 180, 2600, "office", noise=.5, ripple=40)
        data = self._use("b1-data", 14200, 900, "office", noise=.01, ripple=2)
        parts: list[tuple[str, str, str, str, str | None, Use, Format, Format, str]] = [
            ("light", "照明", "Lighting", "01A00", None, light,
             Format("register", "u32", "kWh", "0.01", "CDAB"), Format("gauge", "s32", "W"), "holding"),
            ("f1", "一层插座", "Sockets, floor 1", "01A00", "acme-bio", sockets[0],
             Format("register", "u64", "Wh"), Format("gauge", "u32", "W", "0.1"), "holding"),
            ("f2", "二层插座", "Sockets, floor 2", "01A00", "yun-optics", sockets[1],
             Format("register", "bcd32", "kWh", "0.01"), Format("gauge", "bcd16", "kW", "0.01"), "holding"),
            ("hvac", "空调", "Air conditioning", "01B00", None, air,
             Format("register", "s64", "Wh"), Format("gauge", "f32", "kW", order="CDAB"), "input"),
            ("lift", "电梯", "Lifts", "01C00", None, lift,
             Format("register", "u32", "kWh", "0.1", "BADC"), Format("gauge", "s16", "kW", "0.01"), "holding"),
            ("pump", "给水泵", "Water pumps", "01C00", None, pump,
             Format("register", "s32", "kWh", "0.01", "DCBA"), Format("gauge", "u16", "W"), "holding"),
            ("data", "数据机房", "Data room", "01D00", None, data,
             Format("register", "f64", "kWh"), Format("gauge", "f64", "W"), "input"),
        ]
        main = Sum([part[5] for part in parts])
        self._meter(gateway, "main", "总进线", "Main incomer", "electricity", "01000", None, None, main,
                    Format("register", "u32", "kWh", "0.01"), Format("gauge", "f32", "kW"))
        modes = Format("state", "u16", states=("off", "cooling", "heating"))
        mode = Point("mode", "input", 20, modes, self._air_mode(air))
        for short, name, name_en, item, tenant, source, register, power, function in parts:
            self._meter(gateway, short, name, name_en, "electricity", item, "b1-main", tenant, source, register, power,
                        function, more=[mode] if source is air else [])
        self._meter(gateway, "cooling", "冷冻水", "Chilled water", "cooling", None, None, None,
                    self._use("b1-cooling", 400, 230000, "office-air", need=cooling),
                    Format("register", "f32", "MJ"), Format("gauge", "f32", "kW"), "input")
        self._meter(gateway, "heat", "供热", "District heat", "heat", "04000", None, None,
                    self._use("b1-heat", 300, 190000, "office-air", need=heating),
                    Format("register", "u32", "GJ", "0.001"), Format("gauge", "s32", "kW", "0.001"))
        self._meter(gateway, "water", "自来水", "Tap water", "water", "02000", None, None,
                    self._use("b1-water", 25, 1500, "office", noise=.6, ripple=50), Format("register", "u32", "L"), None)
        self._meter(gateway, "hot", "生活热水", "Hot water", "water", "02000", None, None,
                    self._use("b1-hot", 8, 240, "office", noise=.7, ripple=60),
                    Format("register", "bcd32", "m3", "0.001"), None)

    def _laboratories(self, gateway: Gateway) -> None:
        light = self._use("b2-light", 1900, 21000, "lab", noise=.04)
        air = self._use("b2-hvac", 16000, 46000, "lab", noise=.05,
                        need=lambda day: .45 + .55 * max(self.weather.cooling_need(day), self.weather.heating_need(day)))
        main = Sum([light, air, *(entry.model for entry in self.instruments)])
        self._meter(gateway, "main", "总进线", "Main incomer", "electricity", "01000", None, None, main,
                    Format("register", "u64", "Wh"), Format("gauge", "s32", "W", order="CDAB"), ratio="1000/5")
        self._meter(gateway, "light", "照明插座", "Lighting and sockets", "electricity", "01A00", "b2-main", None, light,
                    Format("register", "u32", "kWh", "0.01"), Format("gauge", "f32", "kW", order="BADC"))
        self._meter(gateway, "hvac", "空调与排风", "Air handling and fume hoods", "electricity", "01B00", "b2-main", None,
                    air, Format("register", "u32", "kWh", "0.1"), Format("gauge", "f32", "kW", order="DCBA"), "input")
        # Two makes of plug meter.
        makes = [(Format("register", "u32", "Wh"), Format("gauge", "u16", "W", "0.1")),
                 (Format("register", "bcd64", "Wh", "1"), Format("gauge", "f32", "W"))]
        for i, entry in enumerate(self.instruments):
            register, power = makes[i % 2]
            tenant = "acme-bio" if entry.id == "lcms" else "yun-optics" if entry.id == "raman" else None
            self._meter(gateway, entry.id, entry.name, entry.name_en, "electricity", "01D00", "b2-main", tenant,
                        entry.model, register, power)
        self._meter(gateway, "gas", "天然气", "Natural gas", "gas", "03A00", None, None,
                    self._use("b2-gas", 150, 5200, "lab", noise=.3), Format("register", "u32", "m3", "0.01"), None)
        # Its contact says whether the chiller of the building runs.
        chiller = Point("chiller", "discrete", 0, Format("state", "bit", states=("off", "on")), lambda _: 1)
        gateway.devices.append(Device("b2-plant", len(gateway.devices) + 1, "b2", 5.0, [chiller]))

    def _meter(self, gateway: Gateway, short: str, name: str, name_en: str, carrier: str, item: str | None,
               parent: str | None, tenant: str | None, source: Source, register: Format, power: Format | None,
               function: str = "holding", ratio: str | None = None, more: list[Point] | None = None) -> None:
        id = f"{gateway.building}-{short}"
        used_before = key_of(self.seed, id + "/first") % 900_000  # the register when the park opened, in base units
        grains = GRAINS[carrier]

        def count(time_ms: int) -> int:
            return used_before + source.amount(time_ms) // grains

        def watts(time_ms: int) -> float:
            return source.rate(time_ms) / 1000

        points = [Point("", function, 0, register, count)]
        if power is not None:
            points.append(Point("power", function, 10, power, watts))
        points += more or []
        gateway.devices.append(Device(id, len(gateway.devices) + 1, f"{gateway.building}.{short}", 2.0, points))
        self.meters.append(Meter(id, gateway.building, name, name_en, carrier, item, parent, tenant, gateway.id,
                                 points[0], points[1] if power else None, source.peak_rate(), ratio))

    def _spaces(self, gateway: Gateway) -> None:
        for entry in self.spaces:
            if entry.building != gateway.building:
                continue
            space = entry.model
            points = []
            if entry.has_doors:
                points += [Point("in", "input", 0, Format("register", "u32", "count"), space.entries),
                           Point("out", "input", 2, Format("register", "u32", "count"), space.exits)]
            else:
                points += [Point("people", "input", 0, Format("gauge", "u16", "count"), space.people),
                           Point("motion", "discrete", 0, Format("state", "bit", states=("clear", "motion")), space.motion)]
            points += [Point("co2", "input", 4, Format("gauge", "u16", "ppm"), space.co2),
                       Point("temperature", "input", 5, Format("gauge", "s16", "degC", "0.1"), space.temperature)]
            prefix = entry.id.replace("-", ".")
            gateway.devices.append(Device(entry.id, len(gateway.devices) + 1, prefix, 5.0, points))

    def _air_mode(self, air: Leaf) -> Callable[[int], int]:
        def mode(time_ms: int) -> int:
            if air.rate(time_ms) < 2_500_000:
                return 0
            return 1 if self.weather.temperature(time_ms) >= 17 else 2
        return mode
