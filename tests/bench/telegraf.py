"""Telegraf as a child: the reference of what a collector and an agent cost. tests/bench/get-telegraf builds it."""

from __future__ import annotations

import os
from pathlib import Path

from harness.process import Program

PROGRAM = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "parkmon-bench/telegraf"
ABSENT = "Telegraf: absent (tests/bench/get-telegraf)"

# As it comes, but for what it must know of this broker and this payload.
DEFAULT = """
[agent]
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{port}"]
  topics = ["park/v1/gw/+/up"]
  username = "{user}"
  password = "{password}"
  data_format = "influx"
  influx_timestamp_precision = "1ms"
"""
# What its documentation offers against loss: the broker keeps what is not yet written, and no more is taken in than the
# buffer holds.
SAFEST = """
[agent]
  metric_batch_size = 5000
  metric_buffer_limit = 50000
  flush_interval = "1s"
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{port}"]
  topics = ["park/v1/gw/+/up"]
  username = "{user}"
  password = "{password}"
  qos = 1
  client_id = "{client}"
  persistent_session = true
  max_undelivered_messages = 20
  data_format = "influx"
  influx_timestamp_precision = "1ms"
"""
MODBUS = """
[agent]
  interval = "1s"
  flush_interval = "1s"
[[inputs.modbus]]
  name = "meter"
  slave_id = 1
  timeout = "1s"
  controller = "tcp://127.0.0.1:{port}"
  holding_registers = [
{registers}
  ]
"""
OUTPUT = """
[[outputs.influxdb]]
  urls = ["{url}"]
  database = "{database}"
"""


def is_there() -> bool:
    return PROGRAM.exists()


class Telegraf(Program):
    def __init__(self, folder: Path, name: str, inputs: str, influx, database: str, broker_port: int | None = None):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.conf"
        path.touch(mode=0o600)
        path.write_text(inputs + OUTPUT.format(url=influx.url, database=database))
        self.broker_port = broker_port
        super().__init__(name, folder, [PROGRAM, "--config", path])

    def is_ready(self) -> bool:
        return self.broker_port is None or (self.is_connected_to(self.broker_port) and "Connected" in self.log())
