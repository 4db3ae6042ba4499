"""A folder and the programs that run in it; leaving the stage ends them all, the last started first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.parkmon import Agent, Collector, new_collector
from harness.process import Program
from harness.servers import Broker, Influx
from harness.sim import Sim

OPEN_STAGES: list["Stage"] = []


class Stage:
    def __init__(self, folder: Path):
        self.folder = folder
        self.programs: list[Program] = []

    def __enter__(self) -> "Stage":
        OPEN_STAGES.append(self)
        return self

    def __exit__(self, *_) -> None:
        OPEN_STAGES.remove(self)
        for program in reversed(self.programs):
            program.kill()

    def add(self, program: Program) -> Program:
        """From now on this stage ends it; it need not be started yet."""
        self.programs.append(program)
        return program

    def start(self, program: Program) -> Program:
        return self.add(program).start()

    def broker(self, *users: str, **options) -> Broker:
        """A running broker that knows these users beside the collector and a reader."""
        return self.start(Broker(self.folder / "broker", list(users), **options))

    def influx(self, **options) -> Influx:
        return self.start(Influx(self.folder / "influxdb", **options))


class Park:
    """The whole: broker, store, simulated park, one agent for each of its gateways, collector.

    `http_url`, `influx`, `broker`, `sim`, `agents` (by gateway), `collector`. The parts may be stopped, killed and started
    again on their own.
    """

    def __init__(self, stage: Stage, seed: int = 7, every: float | None = 1.0, commit: float = 0.2, build: Path | None = None,
                 users: tuple[str, ...] = (), more: str = "", sim_options: tuple = (),
                 edit_park: Callable[[str], str] | None = None):
        self.stage = stage
        self.folder = stage.folder
        self.seed = seed
        self.every = every
        self.commit = commit
        self.build = build
        self.users = users  # whom the broker knows beside
        self.more = more  # further settings of the collector
        self.sim_options = sim_options  # further ones of `sim config`
        self.edit_park = edit_park  # makes the park model that is used of the simulated one's
        self.agents: dict[str, Agent] = {}

    def start_servers(self) -> None:
        """All but the agents; `agents` are ready to be started, or to replay."""
        self.sim: Sim = self.stage.start(Sim(self.folder / "sim", self.seed))
        self.influx: Influx = self.stage.influx()
        self.broker: Broker = self.stage.broker(*self.sim.ports, *self.users)
        settings = self.sim.write_settings(self.folder / "settings", self.broker, self.every, self.commit, more=self.sim_options)
        for path in settings:
            self.agents[path.stem] = self.stage.add(Agent(path, self.broker, self.build))
        if self.edit_park:
            model = self.folder / "settings/park.cfg"
            model.write_text(self.edit_park(model.read_text()))
        self.collector: Collector = self.stage.start(
            new_collector(self.folder / "collector", self.broker, self.influx, self.folder / "settings/park.cfg",
                          build=self.build, more=f'clock = "trusted"; {self.more}'))
        self.http_url = self.collector.http_url

    def start(self) -> "Park":
        self.start_servers()
        for agent in self.agents.values():
            agent.start()
        self.collector.wait_healthy()
        return self

    def stop_agents(self) -> None:
        """In order: each commits what it has and delivers it while it has time."""
        for agent in self.agents.values():
            agent.stop()
