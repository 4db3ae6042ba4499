"""The programs of a campaign and what they live in: a network namespace for the gateways, a small disk for each database.

The whole runs in network and mount namespaces of its own (see run.py), so that nothing of it is left or seen outside. The
gateways' namespace is joined to it by one cable a gateway: the broker has an address on each, so that one can be cut.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path

from campaign import shim
from campaign.devices import GATEWAYS, make_gateway
from campaign.proxy import Proxy
from harness.parkmon import Agent, Collector, release_folder, write_agent_settings, write_collector_settings
from harness.process import Failure, Program, free_port, run, wait_until
from harness.servers import Broker, Influx
from harness.sim import ENVIRONMENT, PYTHON
from harness.stage import Stage
from sim import config

COMMIT_S = 0.2
EVERY_S = 0.25
DISK_MIB = 64
SPOOL_SETTINGS = f"limit = 16; commit = {COMMIT_S}; probe = 1.0;"
BROKER_SETTINGS = "keep_alive = 5; retry = 2;"


def must(*words) -> str:
    done = run(words)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout


class Disk:
    """A small file system of its own."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True)
        must("mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "none", folder)

    def fill(self, spare_kib: int) -> None:
        """Leaves so much room and no more."""
        for _ in range(20):
            used = shutil.disk_usage(self.folder).used // 1024
            if run(["mount", "-o", f"remount,size={used + spare_kib}k", self.folder]).returncode == 0:
                return  # else more was written meanwhile
        raise Failure(f"{self.folder} cannot be made full")

    def free(self) -> None:
        must("mount", "-o", f"remount,size={DISK_MIB}m", self.folder)


class Devices(Program):
    """The simulated devices, inside the gateways' namespace."""

    def __init__(self, folder: Path, namespace: list[str]):
        self.log_of_answers = folder / "answers.jsonl"
        self.ports_file = folder / "ports.json"
        self.control_socket = folder / "control"
        super().__init__("devices", folder, [
            *namespace, PYTHON, "-m", "campaign.devices", "--log", self.log_of_answers, "--ports-file", self.ports_file,
            "--control-socket", self.control_socket],
            {**ENVIRONMENT, "PYTHONPATH": f"{ENVIRONMENT['PYTHONPATH']}:{Path(__file__).resolve().parents[1]}"})

    def is_ready(self) -> bool:
        return self.ports_file.exists()


class World:
    """`agents` by gateway, `broker`, `collector`, `influx`, `proxy` before it, `disks` and `controls` (shim.py) by the
    name of their owner."""

    def __init__(self, stage: Stage):
        self.stage = stage
        self.folder = stage.folder
        self.started_at: dict[str, float] = {}
        self.should_run: set[str] = set()
        must("ip", "link", "set", "lo", "up")
        self._make_namespace()
        self.devices = stage.start(Devices(self.folder / "devices", self.namespace))
        self.influx: Influx = stage.add(Influx(self.folder / "influxdb"))
        self.broker: Broker = stage.add(Broker(self.folder / "broker", list(GATEWAYS)))
        self._edit_broker("listener", str(self.broker.port))
        self.proxy = Proxy(self.influx.port)
        library = shim.build(self.folder)
        self.controls = {name: shim.Control(self.folder / f"{name}.control", library) for name in (*GATEWAYS, "collector")}
        self.disks = {name: Disk(self.folder / f"disk-{name}") for name in (*GATEWAYS, "collector")}
        self.agents = {name: stage.add(self._make_agent(name)) for name in GATEWAYS}
        self.collector: Collector = stage.add(self._make_collector())
        for name, control in self.controls.items():
            program = self.collector if name == "collector" else self.agents[name]
            program.environment = control.environment
        self.programs = {"broker": self.broker, "collector": self.collector, "store": self.influx, **self.agents}
        for name in ("broker", "store", "collector", *GATEWAYS):
            self.launch(name)
        self.collector.wait_ready()
        for agent in self.agents.values():
            agent.wait_ready()

    # ---- making it ----

    def _make_namespace(self) -> None:
        holder = self.stage.add(Program("gateways", self.folder, ["unshare", "--net", "sleep", "infinity"]))
        holder.launch()
        ours = Path("/proc/self/ns/net").readlink()
        its = Path(f"/proc/{holder.pid}/ns/net")
        wait_until(lambda: its.readlink() != ours, 10, "the gateways' namespace is there")
        self.namespace = ["nsenter", f"--net={its}"]
        must(*self.namespace, "ip", "link", "set", "lo", "up")
        must("nft", "add table inet campaign; add chain inet campaign input { type filter hook input priority 0; }")
        for i, name in enumerate(GATEWAYS):
            must("ip", "link", "add", name, "type", "veth", "peer", "name", name, "netns", str(holder.pid))
            must("ip", "addr", "add", f"{self.address(name)}/24", "dev", name)
            must("ip", "link", "set", name, "up")
            must(*self.namespace, "ip", "addr", "add", f"10.77.{i}.2/24", "dev", name)
            must(*self.namespace, "ip", "link", "set", name, "up")

    @staticmethod
    def address(gateway: str) -> str:
        """Of the broker, on this gateway's cable."""
        return f"10.77.{GATEWAYS.index(gateway)}.1"

    def _make_agent(self, name: str) -> Agent:
        port = json.loads(self.devices.ports_file.read_text())[name]
        devices = ",\n".join(config.device_settings(device, EVERY_S) for device in make_gateway(name).devices)
        bus = f'{{ name = "bus"; driver = "modbus_tcp"; host = "127.0.0.1"; port = {port}; timeout = 2.0; devices = (\n{devices} ); }}'
        settings = self.folder / f"{name}.cfg"
        write_agent_settings(settings, name, self.broker, bus, self.spool(name), SPOOL_SETTINGS,
                             more='clock = "kernel";', host=self.address(name), broker_settings=BROKER_SETTINGS)
        agent = Agent(settings, self.broker, release_folder())
        agent.command = [*map(str, self.namespace), *agent.command]
        return agent

    def _make_collector(self) -> Collector:
        park = self.folder / "park.cfg"
        gateways = [config.group(id=name, site=config.SITE["id"], building=config.BUILDINGS[0]["id"], name=name, name_en=name)
                    for name in GATEWAYS]
        park.write_text(config.listed("sites", [config.group(**config.SITE)]) + config.listed(
            "buildings", [config.group(site=config.SITE["id"], **config.BUILDINGS[0])]) + config.listed("gateways", gateways))
        port = free_port()
        settings = write_collector_settings(
            self.folder / "collector.cfg", self.broker, self.proxy.url, park, port, database=self.database,
            store_settings="timeout = 1.0;", broker_settings=BROKER_SETTINGS)
        return Collector(settings, port, release_folder())

    def spool(self, gateway: str) -> Path:
        return self.folder / f"disk-{gateway}" / f"{gateway}.spool"

    @property
    def database(self) -> Path:
        return self.folder / "disk-collector" / "collector.db"

    # ---- changing it ----

    def launch(self, name: str, holds_writes: bool = False, through_percent: int = 0, seed: int = 0) -> None:
        """`holds_writes`: its SIGKILL will be a loss of power."""
        if name in self.controls:
            self.controls[name].set(holds_writes=holds_writes, through_percent=through_percent, seed=seed)
        self.programs[name].launch()
        self.started_at[name] = time.monotonic()
        self.should_run.add(name)

    def kill(self, name: str) -> None:
        self.should_run.discard(name)
        self.programs[name].kill()

    def holds_writes(self, name: str) -> bool:
        return bool(self.controls[name]["holds_writes"])

    def age_s(self, name: str) -> float:
        """Seconds since its last start."""
        return time.monotonic() - self.started_at[name]

    def _edit_broker(self, key: str, value: str) -> None:
        path = self.broker.folder / "mosquitto.conf"
        path.write_text(re.sub(rf"(?m)^{key} .*$", f"{key} {value}", path.read_text()))

    def set_broker_queue(self, messages: int) -> None:
        """From its next start on."""
        self._edit_broker("max_queued_messages", str(messages))

    def cut(self, gateway: str, by: str) -> None:
        """`by` = link (as if unplugged) or filter (packets vanish)."""
        if by == "link":
            must("ip", "link", "set", gateway, "down")
        else:
            must("nft", "add", "rule", "inet", "campaign", "input", "iifname", gateway, "drop")

    def join(self, gateway: str, by: str) -> None:
        if by == "link":
            must("ip", "link", "set", gateway, "up")
            return
        rules = must("nft", "-a", "list", "chain", "inet", "campaign", "input")
        for handle in re.findall(rf'iifname "{gateway}" drop # handle (\d+)', rules):
            must("nft", "delete", "rule", "inet", "campaign", "input", "handle", handle)
