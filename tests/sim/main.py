"""The command line; see --help of each command."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from sim import config, history, record
from sim.calendar import EPOCH, EPOCH_TEXT, parse_time
from sim.park import Park
from sim.serve import Clock, control, serve

EXIT_USAGE, EXIT_IO, EXIT_SETTINGS = 64, 74, 78


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def known_time(text: str) -> int:
    """A time for which the park has registers."""
    try:
        time_ms = parse_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if time_ms < EPOCH:
        raise argparse.ArgumentTypeError(f"{text} is before {EPOCH_TEXT}, when the park opened")
    return time_ms


def positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text}: expected a number above 0")
    return value


def add_serving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--log", required=True, metavar="FILE", help="append every answer here before it is sent")
    parser.add_argument("--ports-file", required=True, metavar="FILE",
                        help='written when all ports listen: {"<gateway>": port, ...}')
    parser.add_argument("--control-socket", metavar="PATH", help="take faults on this unix socket")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end when stdin does, too")


def parse(words: list[str] | None) -> argparse.Namespace:
    parser = Parser(prog="sim", description="a simulated science park")
    commands = parser.add_subparsers(dest="command", required=True)

    one = commands.add_parser("serve", help="answer as the park's devices over Modbus TCP, one port a gateway")
    one.add_argument("--seed", type=int, default=7)
    one.add_argument("--at", type=known_time, metavar="TIME",
                     help="begin at this time, not now; registers go back when it is started again")
    one.add_argument("--speed", type=positive, default=1.0, help="let the park's time run this many times as fast")
    add_serving(one)

    one = commands.add_parser("config", help="write agent settings and the park model")
    one.add_argument("--seed", type=int, default=7)
    one.add_argument("--ports", required=True, metavar="FILE", help="the ports file of serve or record")
    one.add_argument("--out", required=True, metavar="DIR")
    one.add_argument("--broker-host", default="127.0.0.1")
    one.add_argument("--broker-port", type=int, default=1883)
    one.add_argument("--every", type=positive, metavar="SECONDS", help="one period for all devices")
    one.add_argument("--commit", type=positive, default=1.0, metavar="SECONDS")
    one.add_argument("--timeout", type=positive, default=0.5, metavar="SECONDS")
    one.add_argument("--desk", metavar="PATH", help="the instruments' card readers tell their events on this unix socket; without it nobody does")
    one.add_argument("--calendars", metavar="DIR", help="the instruments' bookings are in this folder; without it they are not known")
    one.add_argument("--anonymous", action="store_true", help="no user and password for the broker")
    add_recording(one, "settings for what `record` serves from this file; writes <gateway>.cfg only")

    one = commands.add_parser("history", help="print past readings of a gateway as CSV for park-agent --replay")
    one.add_argument("--seed", type=int, default=7)
    one.add_argument("--gateway", required=True)
    one.add_argument("--from", dest="from_ms", type=known_time, required=True, metavar="TIME")
    one.add_argument("--to", dest="to_ms", type=known_time, required=True, metavar="TIME", help="not included")
    one.add_argument("--step", type=positive, default=900.0, metavar="SECONDS")
    one.add_argument("--kind", choices=("register", "gauge", "state"), help="only these points")
    one.add_argument("--only", metavar="PATTERN", help="only points with such names")

    one = commands.add_parser("record", help="serve a recorded CSV as registers, one row a poll",
                              description=record.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_recording(one, "the recorded file")
    add_serving(one)

    one = commands.add_parser("fault", help="play a fault in a running simulator")
    one.add_argument("--control-socket", required=True, metavar="PATH")
    one.add_argument("--gateway")
    one.add_argument("--unit", type=int)
    one.add_argument("--seconds", type=positive, default=1.0, help="delay of `slow`")
    one.add_argument("--code", type=int, default=4, help="code of `exception`")
    one.add_argument("fault", help="silent, slow, hangup, lie, exception, down; none ends it")

    options = parser.parse_args(words)
    if options.command == "record" and options.csv is None:
        parser.error("record: --csv is missing")
    return options


def add_recording(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--csv", metavar="FILE", help=what)
    parser.add_argument("--columns", metavar="NAME[:UNIT[:KIND]],...")
    parser.add_argument("--gateway", default="gw-rec", help="gateway of the recording (default gw-rec)")
    parser.add_argument("--prefix", default="rec", help="start of its points' names (default rec)")


def load_recording(options: argparse.Namespace):
    columns = options.columns.split(",") if options.columns else None
    return record.load(options.csv, columns, options.gateway, options.prefix)


def run(options: argparse.Namespace) -> int:
    if options.command == "serve":
        clock = Clock(options.at, options.speed)
        if clock.now_ms() < EPOCH:
            raise ValueError(f"this machine's clock is before {EPOCH_TEXT}, when the park opened; expected --at")
        return serve(Park(options.seed).gateways, options.log, options.ports_file, clock, options.control_socket,
                     options.until_stdin_closes)
    if options.command == "record":
        gateway, _tape = load_recording(options)
        return serve([gateway], options.log, options.ports_file, Clock(), options.control_socket,
                     options.until_stdin_closes)
    if options.command == "config":
        ports = json.loads(Path(options.ports).read_text())
        agent = {"broker_host": options.broker_host, "broker_port": options.broker_port, "every": options.every,
                 "commit": options.commit, "timeout": options.timeout, "is_anonymous": options.anonymous}
        if options.csv:
            gateway, _tape = load_recording(options)
            config.write_agent(gateway, ports, options.out, **agent)
        else:
            config.write(Park(options.seed), ports, options.out, options.desk, options.calendars, **agent)
    elif options.command == "history":
        gateway = Park(options.seed).gateway(options.gateway)
        history.write(gateway, options.from_ms, options.to_ms, round(options.step * 1000), sys.stdout, options.kind, options.only)
    elif options.command == "fault":
        control(options.control_socket, fault=options.fault, gateway=options.gateway, unit=options.unit,
                seconds=options.seconds, code=options.code)
    return 0


def main(words: list[str] | None = None) -> int:
    try:
        return run(parse(words))
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_IO
    except OSError as error:
        print(f"sim: {error}", file=sys.stderr)
        return EXIT_IO
    except (ValueError, KeyError) as error:
        print(f"sim: {error.args[0]}", file=sys.stderr)
        return EXIT_SETTINGS
