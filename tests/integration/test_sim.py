"""The simulated park itself, with pymodbus as a client that knows nothing of it."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from pymodbus.client import ModbusTcpClient
from pymodbus.constants import Endian
from pymodbus.payload import BinaryPayloadDecoder

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from harness.process import Program, run, wait_until  # noqa: E402
from sim import answers, config, desk  # noqa: E402
from sim.calendar import DAY, EPOCH, HOUR, MINUTE, parse_time  # noqa: E402
from sim.instruments import OFF, RUNNING, STANDBY  # noqa: E402
from sim.park import Device, Gateway, Park, Point  # noqa: E402
from sim.registers import Format  # noqa: E402
from sim.serve import control  # noqa: E402

SEED = 7
NOON = "2026-10-14T12:00:00+08:00"  # a Wednesday
SIM = ["/usr/bin/python3", "-m", "sim"]
ENVIRONMENT = {"PYTHONPATH": str(TESTS), "PYTHONDONTWRITEBYTECODE": "1"}


class Simulator(Program):
    def __init__(self, folder: Path, *words: str):
        self.answers = folder / "answers.jsonl"
        self.ports_file = folder / "ports.json"
        self.control = folder / "control"
        super().__init__("sim", folder, [*SIM, *words, "--log", self.answers, "--ports-file", self.ports_file,
                                         "--control-socket", self.control], ENVIRONMENT)

    def is_ready(self) -> bool:
        return self.ports_file.exists() and self.listens(*self.ports.values())

    @property
    def ports(self) -> dict[str, int]:
        return json.loads(self.ports_file.read_text())

    def fault(self, kind: str, **more) -> None:
        control(self.control, fault=kind, **more)


@pytest.fixture
def simulator(tmp_path) -> Iterator[Simulator]:
    program = Simulator(tmp_path, "serve", "--seed", str(SEED), "--at", NOON)
    program.start()
    yield program
    program.stop()


class Client:
    """pymodbus, one request a call; a register answer is a list of words, anything else is raised or returned as it is."""

    def __init__(self, port: int, timeout: float = 3):
        self.client = ModbusTcpClient("127.0.0.1", port=port, timeout=timeout, retries=0, retry_on_empty=False)
        assert self.client.connect()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_) -> None:
        self.client.close()

    def ask(self, function: str, unit: int, address: int, count: int):
        call = {"holding": self.client.read_holding_registers, "input": self.client.read_input_registers,
                "coil": self.client.read_coils, "discrete": self.client.read_discrete_inputs}[function]
        return call(address, count, slave=unit)

    def words(self, function: str, unit: int, address: int, count: int) -> list[int]:
        answer = self.ask(function, unit, address, count)
        assert not answer.isError(), answer
        return [int(bit) for bit in answer.bits[:count]] if function in ("coil", "discrete") else answer.registers

    def read(self, device: Device, point: Point) -> list[int]:
        return self.words(point.function, device.unit, point.address, point.format.words)


def every_point(park: Park) -> Iterator[tuple[Gateway, Device, Point]]:
    for gateway in park.gateways:
        for device in gateway.devices:
            for point in device.points:
                yield gateway, device, point


def decoded_by_pymodbus(format: Format, words: list[int]) -> int | float:
    """The raw number, by pymodbus's own decoder."""
    swaps_words = format.order[:2] in ("CD", "DC")
    swaps_bytes = format.order[:2] in ("BA", "DC")
    if swaps_bytes:
        words = [(word >> 8) | (word & 0xFF) << 8 for word in words]
    decoder = BinaryPayloadDecoder.fromRegisters(words, byteorder=Endian.Big,
                                                 wordorder=Endian.Little if swaps_words else Endian.Big)
    if format.type.startswith("bcd"):
        return int("".join(f"{word:04x}" for word in words))
    sort, bits = format.type[0], format.type[1:]
    name = {"u": f"decode_{bits}bit_uint", "s": f"decode_{bits}bit_int", "f": f"decode_{bits}bit_float"}[sort]
    return getattr(decoder, name)()


UNIT = {"Wh": 1, "kWh": 1000, "MJ": 1000000, "GJ": 1000000000, "L": 1, "m3": 1000, "count": 1, "W": 1, "kW": 1000,
        "degC": 1, "ppm": 1}


def test_what_pymodbus_reads_is_what_the_log_says(simulator):
    read = []
    for gateway in Park(SEED).gateways:
        with Client(simulator.ports[gateway.id]) as client:
            for device in gateway.devices:
                for point in device.points:
                    read.append((gateway.id, device.unit, point, client.read(device, point)))
    logged = list(answers.read(simulator.answers))
    assert [answer.n for answer in logged] == list(range(1, len(logged) + 1))
    assert len(logged) == len(read)
    types = set()
    for answer, (gateway, unit, point, words) in zip(logged, read):
        assert (answer.gateway, answer.unit, answer.point) == (gateway, unit, point.wire)
        assert answer.port == simulator.ports[gateway] and answer.kind == point.format.kind
        assert list(answer.raw) == words
        format = point.format
        types.add(format.type)
        if format.kind == "state":
            assert answer.value == format.states[words[0]]
            continue
        exact = Fraction(decoded_by_pymodbus(format, words)) * Fraction(format.scale) * UNIT[format.unit]
        if format.kind == "register":
            assert isinstance(answer.value, int) and abs(exact - answer.value) < Fraction(1, 2), point.wire
        else:
            assert isinstance(answer.value, float) and answer.value == pytest.approx(float(exact), rel=1e-12)
    assert types >= {"u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64", "bcd16", "bcd32", "bcd64", "bit"}


def test_an_answer_is_in_the_log_before_it_is_read(simulator):
    with Client(simulator.ports["gw-a"]) as client, open(simulator.answers) as log:
        for _ in range(200):
            words = client.words("holding", 1, 0, 2)
            assert json.loads(log.readline())["raw"] == words
    simulator.kill()
    assert len(list(answers.read(simulator.answers))) == 200


def test_one_request_answers_all_its_points_at_one_time(simulator):
    with Client(simulator.ports["gw-a"]) as client:
        hall = next(d for d in Park(SEED).gateway("gw-a").devices if d.name == "b1-hall")
        words = client.words("input", hall.unit, 0, 6)
        partly = client.words("input", hall.unit, 1, 2)
    assert len(partly) == 2
    logged = list(answers.read(simulator.answers))
    assert [answer.point for answer in logged] == ["b1.hall.in", "b1.hall.out", "b1.hall.co2", "b1.hall.temperature"]
    assert [word for answer in logged for word in answer.raw] == words
    assert len({answer.time_ms for answer in logged}) == 1


@pytest.mark.parametrize("function, unit, address, count, code", [
    ("holding", 1, 2, 1, 2), ("holding", 1, 0, 3, 2), ("input", 1, 0, 2, 2), ("holding", 1, 65535, 1, 2),
    ("coil", 1, 0, 1, 2), ("holding", 99, 0, 2, 11)])
def test_what_is_not_there_is_an_exception(simulator, function, unit, address, count, code):
    with Client(simulator.ports["gw-a"]) as client:
        answer = client.ask(function, unit, address, count)
    assert answer.isError() and answer.exception_code == code
    (line,) = answers.read_lines(simulator.answers)
    assert (line["unit"], line["address"], line["count"], line["exception"]) == (unit, address, count, code)


def exchange(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request)
        return connection.recv(300)


@pytest.mark.parametrize("pdu, answer", [
    (bytes.fromhex("0600000001"), bytes.fromhex("8601")), (bytes.fromhex("0300000000"), bytes.fromhex("8303")),
    (bytes.fromhex("030000007e"), bytes.fromhex("8303")), (bytes.fromhex("2b0e0100"), bytes.fromhex("ab01"))])
def test_a_request_that_is_no_read_is_an_exception(simulator, pdu, answer):
    header = struct.pack(">HHHB", 0x1234, 0, len(pdu) + 1, 1)
    assert exchange(simulator.ports["gw-a"], header + pdu) == struct.pack(">HHHB", 0x1234, 0, 3, 1) + answer


def test_a_frame_that_is_not_modbus_ends_the_connection(simulator):
    with pytest.raises(ConnectionResetError):
        if exchange(simulator.ports["gw-a"], b"GET / HTTP/1.1\r\n\r\n") == b"":
            raise ConnectionResetError


def test_requests_in_pieces_and_in_heaps_are_all_answered(simulator):
    request = [struct.pack(">HHHBBHH", i, 0, 6, 1, 3, 0, 2) for i in range(3)]
    with socket.create_connection(("127.0.0.1", simulator.ports["gw-a"]), timeout=5) as connection:
        for byte in request[0][:-1]:
            connection.sendall(bytes([byte]))
        connection.sendall(request[0][-1:] + request[1] + request[2])
        received = b""
        while len(received) < 39:
            received += connection.recv(100)
    assert [struct.unpack_from(">H", received, 13 * i)[0] for i in range(3)] == [0, 1, 2]


def test_a_silent_unit_leaves_its_neighbours_alone(simulator):
    simulator.fault("silent", gateway="gw-a", unit=3)
    port = simulator.ports["gw-a"]
    with Client(port, timeout=1) as client:
        assert client.ask("holding", 3, 0, 4).isError()
    with Client(port) as client:
        assert client.words("holding", 1, 0, 2)
    simulator.fault("none", gateway="gw-a", unit=3)
    with Client(port) as client:
        assert client.words("holding", 3, 0, 4)
    assert [answer.unit for answer in answers.read(simulator.answers)] == [1, 3]


def test_a_liar_answers_with_another_transaction_and_says_so_in_the_log(simulator):
    simulator.fault("lie", gateway="gw-a", unit=1)
    answer = exchange(simulator.ports["gw-a"], struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, 0, 2))
    assert struct.unpack_from(">HHHB", answer) == (7 ^ 0x5555, 0, 7, 1)
    assert [answer.fault for answer in answers.read(simulator.answers)] == ["lie"]
    assert answers.expected(simulator.answers) == {}


def test_a_slow_unit_answers_late_and_logs_the_late_moment(simulator):
    simulator.fault("slow", gateway="gw-a", unit=1, seconds=0.4)
    with Client(simulator.ports["gw-a"]) as client:
        assert client.words("holding", 2, 0, 2) and client.words("holding", 1, 0, 2)
    quick, slow = answers.read(simulator.answers)
    assert slow.fault == "slow" and slow.time_ms - quick.time_ms >= 390


def test_a_unit_hangs_up(simulator):
    simulator.fault("hangup")
    with pytest.raises(ConnectionResetError):
        if exchange(simulator.ports["gw-b"], struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, 0, 4)) == b"":
            raise ConnectionResetError
    assert not list(answers.read_lines(simulator.answers))


def test_a_unit_refuses_with_the_code_asked_for(simulator):
    simulator.fault("exception", code=6)
    with Client(simulator.ports["gw-b"]) as client:
        assert client.ask("holding", 1, 0, 4).exception_code == 6


def test_a_gateway_that_is_down_comes_back_on_its_port(simulator):
    port = simulator.ports["gw-a"]
    simulator.fault("down", gateway="gw-a")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    with Client(simulator.ports["gw-b"]) as client:
        assert client.words("holding", 1, 0, 4)
    simulator.fault("none")
    assert simulator.ports["gw-a"] == port
    with Client(port) as client:
        assert client.words("holding", 1, 0, 2)


def test_a_wrong_fault_is_refused_with_its_reason(simulator):
    with pytest.raises(ValueError, match="expected one of silent"):
        simulator.fault("sulk")
    with pytest.raises(ValueError, match="no gateway gw-z"):
        simulator.fault("silent", gateway="gw-z")
    assert simulator.is_running


def test_without_a_log_nothing_is_answered(tmp_path):
    command = [*SIM, "serve", "--log", "/dev/full", "--ports-file", tmp_path / "ports"]
    with subprocess.Popen([str(word) for word in command], env=ENVIRONMENT, stderr=subprocess.PIPE) as process:
        wait_until((tmp_path / "ports").exists, 10, "the ports file is written")
        port = json.loads((tmp_path / "ports").read_text())["gw-a"]
        try:
            assert exchange(port, struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, 0, 2)) == b""
        except ConnectionResetError:
            pass
        assert process.wait(10) == 74
        assert b"answer log" in process.stderr.read()


def test_it_ends_when_its_stdin_closes(tmp_path):
    command = [*SIM, "serve", "--log", tmp_path / "log", "--ports-file", tmp_path / "ports", "--until-stdin-closes"]
    with subprocess.Popen([str(word) for word in command], env=ENVIRONMENT, stdin=subprocess.PIPE) as process:
        wait_until((tmp_path / "ports").exists, 10, "the ports file is written")
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(10) == 0


def test_it_ends_in_order_at_a_signal(simulator):
    simulator.process.send_signal(signal.SIGINT)
    assert simulator.wait(10) == 0
    assert not simulator.control.exists()


# ---- the park and its model ----


def test_the_park_is_what_was_promised():
    park = Park(SEED)
    assert len(park.meters) == 24 and len(park.spaces) == 6 and len(park.instruments) == 8
    names = [f"{gateway.id}/{point.wire}" for gateway, _, point in every_point(park)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"gw-[ab]/[a-z0-9][a-z0-9._-]{0,63}", name) for name in names)
    ids = [meter.id for meter in park.meters]
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", id) for id in ids) and len(set(ids)) == 24
    assert {meter.parent for meter in park.meters} - {None} <= set(ids)
    assert {meter.carrier for meter in park.meters} == {"electricity", "heat", "cooling", "water", "gas"}


def test_registers_never_fall_and_stay_below_their_modulus_and_rate():
    park = Park(SEED)
    for start in (EPOCH, EPOCH + 200 * DAY, EPOCH + 5 * 365 * DAY):
        before = None
        for time_ms in range(start, start + DAY, 7 * MINUTE + 1):
            counts = {meter.id: meter.register.value(time_ms) for meter in park.meters}
            for meter in park.meters:
                count, format = counts[meter.id], meter.register.format
                limit = format.modulus() or 10**15
                assert 0 <= count < limit, meter.id
                if before:
                    most = meter.peak_rate * config.PER_HOUR[meter.carrier] * (7 * MINUTE + 1) / HOUR
                    assert 0 <= count - before[meter.id] <= most + 2 * format.resolution(count), meter.id
            before = counts


def test_a_parent_counts_its_children_and_the_losses():
    park = Park(SEED)
    for parent in ("b1-main", "b2-main"):
        children = [meter for meter in park.meters if meter.parent == parent]
        whole = next(meter for meter in park.meters if meter.id == parent)
        first, last = parse_time("2026-06-01T00:00:00+08:00"), parse_time("2026-06-08T00:00:00+08:00")
        used = [meter.register.read(last) - meter.register.read(first) for meter in (whole, *children)]
        assert used[0] == pytest.approx(sum(used[1:]) * 1.012, abs=len(used) + 2)


def test_power_is_the_slope_of_the_register():
    park = Park(SEED)
    for id in ("b1-main", "b1-lift", "b2-sem"):
        meter = next(meter for meter in park.meters if meter.id == id)
        start = parse_time("2026-10-14T09:00:00+08:00")
        sampled = sum(meter.power.read(start + i * 5000) for i in range(720)) / 720
        assert meter.register.read(start + HOUR) - meter.register.read(start) == pytest.approx(sampled, abs=2)


def test_the_days_and_minutes_of_a_leaf_add_up_exactly():
    leaf = Park(SEED).instruments[0].model
    for day in range(20500, 20510):
        start = day * DAY - 8 * HOUR
        assert leaf.amount(start + DAY) - leaf.amount(start) == leaf.day_amount(day)
        # What an instrument uses follows from its states alone.
        by_state = sum(leaf.watts[leaf.state(start + i * MINUTE)] * 60_000 for i in range(1440))
        assert leaf.day_amount(day) == by_state


def test_the_load_follows_hours_days_and_seasons():
    park = Park(SEED)
    meters = {meter.id: meter for meter in park.meters}

    def used(id: str, start: str, hours: int) -> int:
        first = parse_time(start)
        return meters[id].register.read(first + hours * HOUR) - meters[id].register.read(first)

    assert used("b1-main", "2026-10-14T09:00:00+08:00", 8) > 3 * used("b1-main", "2026-10-14T23:00:00+08:00", 8)
    assert used("b1-main", "2026-10-14T00:00:00+08:00", 24) > 1.5 * used("b1-main", "2026-10-17T00:00:00+08:00", 24)
    assert used("b1-main", "2026-10-14T00:00:00+08:00", 24) > 1.5 * used("b1-main", "2026-10-01T00:00:00+08:00", 24)
    assert used("b1-cooling", "2026-07-15T00:00:00+08:00", 24) > 10 * used("b1-cooling", "2026-01-14T00:00:00+08:00", 24)
    assert used("b1-heat", "2026-01-14T00:00:00+08:00", 24) > 10 * used("b1-heat", "2026-07-15T00:00:00+08:00", 24)


def test_instruments_are_off_idle_and_running_and_their_sessions_frame_the_runs():
    for entry in Park(SEED).instruments:
        model, since, until = entry.model, parse_time("2026-10-12T00:00:00+08:00"), parse_time("2026-10-26T00:00:00+08:00")
        told = list(desk.events(SEED, entry, since, until))
        assert [event.action for event in told] == ["open", "close"] * (len(told) // 2)
        assert [event.time_ms for event in told] == sorted(event.time_ms for event in told) and len({event.id for event in told}) == len(told)
        sessions = list(zip(told[::2], told[1::2]))
        week = range(since, until, MINUTE)
        states = {model.state(time_ms) for time_ms in week}
        assert states >= {RUNNING, STANDBY} and (OFF in states) == (model.rests == OFF), entry.id
        assert all(any(opened.time_ms <= time_ms < closed.time_ms for opened, closed in sessions)
                   for time_ms in week if model.state(time_ms) == RUNNING)
        assert sum(closed.time_ms - opened.time_ms for opened, closed in sessions) < until - since


def test_door_counters_agree_with_people():
    for entry in Park(SEED).spaces:
        space, most = entry.model, 0
        start = parse_time("2026-10-12T00:00:00+08:00")
        entries = exits = 0
        for time_ms in range(start, start + 7 * DAY, 3 * MINUTE):
            people = space.people(time_ms)
            assert 0 <= people <= entry.capacity
            assert space.entries(time_ms) >= entries and space.exits(time_ms) >= exits
            entries, exits, most = space.entries(time_ms), space.exits(time_ms), max(most, people)
        assert most > 0 and space.people(start + 7 * DAY) == 0


def history(seed: int, first: str, last: str, step: int = 900) -> str:
    done = run([*SIM, "history", "--seed", str(seed), "--gateway", "gw-a", "--from", first, "--to", last,
                "--step", str(step)], env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_history_is_the_same_for_a_seed_and_runs_on_into_what_is_served(simulator):
    text = history(SEED, "2026-10-14T11:00:00+08:00", NOON)
    assert text == history(SEED, "2026-10-14T11:00:00+08:00", NOON)
    assert text != history(SEED + 1, "2026-10-14T11:00:00+08:00", NOON)
    assert text.startswith("point,value,time\n")
    rows = list(csv.DictReader(io.StringIO(text)))
    gateway = Park(SEED).gateway("gw-a")
    assert len(rows) == 4 * len(gateway.points())
    times = [int(row["time"]) for row in rows]
    assert times == sorted(times) and times[0] == parse_time("2026-10-14T11:00:00+08:00")
    last = {row["point"]: row["value"] for row in rows}
    with Client(simulator.ports["gw-a"]) as client:
        for device in gateway.devices:
            for point in device.points:
                client.read(device, point)
    for answer in answers.read(simulator.answers):
        if answer.kind == "register":
            assert answer.value >= int(last[answer.point])
    served = answers.expected(simulator.answers)["gw-a/b1.main"][0][1]
    used = served - int(last["b1.main"])
    assert 5_000 < used < 60_000  # a quarter of an hour and a few seconds of some 100 kW


def test_times_before_the_park_opened_are_refused():
    done = run([*SIM, "history", "--gateway", "gw-a", "--from", "2025-12-31T00:00:00+08:00", "--to", NOON],
               env=ENVIRONMENT)
    assert done.returncode == 64 and "when the park opened" in done.stderr


# ---- encodings, with literal registers ----


@pytest.mark.parametrize("format, value, words, back", [
    (Format("register", "u32", "kWh", "0.01"), 12_345_678, (0x0012, 0xD687), 12_345_670),
    (Format("register", "u32", "kWh", "0.01", "CDAB"), 12_345_678, (0xD687, 0x0012), 12_345_670),
    (Format("register", "u32", "kWh", "0.01", "BADC"), 12_345_678, (0x1200, 0x87D6), 12_345_670),
    (Format("register", "u32", "kWh", "0.01", "DCBA"), 12_345_678, (0x87D6, 0x1200), 12_345_670),
    (Format("register", "bcd32", "m3", "0.001"), 12_345_678, (0x1234, 0x5678), 12_345_678),
    (Format("register", "bcd64", "Wh"), 12_345_678, (0, 0, 0x1234, 0x5678), 12_345_678),
    (Format("register", "u64", "Wh"), 2**33 + 5, (0, 2, 0, 5), 2**33 + 5),
    (Format("register", "f32", "kWh"), 1_500, (0x3FC0, 0x0000), 1_500),
    (Format("register", "f64", "kWh"), 1_500, (0x3FF8, 0, 0, 0), 1_500),
    (Format("gauge", "f32", "kW"), 1_500.0, (0x3FC0, 0x0000), 1_500.0),
    (Format("gauge", "s16", "degC", "0.1"), -3.26, (0xFFDF,), -3.3),
    (Format("gauge", "s32", "W", order="DCBA"), -2.0, (0xFEFF, 0xFFFF), -2.0),
    (Format("gauge", "bcd16", "kW", "0.01"), 12_344.0, (0x1234,), 12_340.0),
    (Format("state", "u16", states=("off", "cooling")), 1, (1,), "cooling"),
    (Format("state", "bit", states=("closed", "open")), True, (1,), "open")])
def test_values_become_these_registers(format, value, words, back):
    assert format.encode(value) == words
    assert format.decode(words) == back and type(format.decode(words)) is type(back)


def test_a_float_register_never_lies_between_two_counts():
    format = Format("register", "f32", "kWh")
    before = 0
    for count in range(600_000_000, 600_003_000, 7):
        words = format.encode(count)
        exact = Fraction(struct.unpack(">f", struct.pack(">HH", *words))[0]) * 1000
        assert exact % 1 != Fraction(1, 2)
        assert before <= format.decode(words) and abs(format.decode(words) - count) <= 2 * format.resolution(count)
        before = format.decode(words)


# ---- a recorded file ----


@pytest.fixture
def recording(tmp_path) -> Iterator[Simulator]:
    file = tmp_path / "rows.csv"
    file.write_text("time,plug,light,air\n1,10,100,1.5\n2,20,200,-2.5\n3,30,300,3.25\n")
    program = Simulator(tmp_path, "record", "--csv", str(file), "--columns", "plug:Wh,air:degC,light:Wh:gauge")
    program.start()
    yield program
    program.stop()


def test_a_recording_goes_on_one_row_a_poll_and_stays_at_its_end(recording):
    with Client(recording.ports["gw-rec"]) as client:
        polls = [client.words("holding", 1, 0, 12) for _ in range(4)]
        assert client.words("holding", 1, 4, 4) == polls[3][4:8]
    shown = [struct.unpack(">Qdd", struct.pack(">12H", *words)) for words in polls]
    assert shown == [(10, 1.5, 100.0), (20, -2.5, 200.0), (30, 3.25, 300.0), (30, 3.25, 300.0)]
    values = answers.expected(recording.answers, "gw-rec")
    assert [value for _, value in values["rec.plug"]] == [10, 20, 30, 30]
    assert [value for _, value in values["rec.air"]] == [1.5, -2.5, 3.25, 3.25, 3.25]


def test_a_poll_in_several_requests_is_one_row(recording):
    with Client(recording.ports["gw-rec"]) as client:
        for plug in (10, 20):
            assert client.words("holding", 1, 0, 4)[3] == plug
            client.words("holding", 1, 4, 4)
            client.words("holding", 1, 8, 4)
    values = answers.expected(recording.answers, "gw-rec")
    assert [value for _, value in values["rec.light"]] == [100.0, 200.0]


def test_settings_of_a_recording_name_its_columns(recording, tmp_path):
    done = run([*SIM, "config", "--csv", tmp_path / "rows.csv", "--columns", "plug:Wh,air:degC",
                "--ports", recording.ports_file, "--out", tmp_path / "out", "--anonymous"], env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "out/gw-rec.cfg").read_text()
    assert f'port = {recording.ports["gw-rec"]};' in text and "password" not in text
    assert '{ name = "plug"; kind = "register"; function = "holding"; address = 0; type = "u64"; unit = "Wh"; }' in text
    assert '{ name = "air"; kind = "gauge"; function = "holding"; address = 4; type = "f64"; unit = "degC"; }' in text


def test_a_wrong_column_is_said(tmp_path):
    (tmp_path / "rows.csv").write_text("time,plug\n1,10\n")
    for columns, message in (("plug:kWh", "not a base unit"), ("lamp", "has no column lamp"),
                             ("plug:Wh:state", "register or gauge")):
        done = run([*SIM, "record", "--csv", tmp_path / "rows.csv", "--columns", columns, "--log", tmp_path / "log",
                    "--ports-file", tmp_path / "ports"], env=ENVIRONMENT)
        assert done.returncode == 78 and message in done.stderr
