"""Makes Grafana's dashboards, in Chinese and English, and its alert rules: run it after a change here, and commit what it makes.

    python3 dashboards/grafana/source [-o FOLDER] [--zone Asia/Shanghai]
    python3 dashboards/grafana/source --check

A park elsewhere makes its own with --zone. Exit codes: 0, 1 where --check finds that what is there is not what this makes, 64 usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import alarms
import energy
import gateways
import instruments
import meter
import occupancy
import overview
import yaml_text
from boards import made
from words import LANGUAGES, said

HERE = Path(__file__).resolve().parents[1]
BOARDS = {module.BOARD.key: module.BOARD for module in (overview, energy, meter, occupancy, instruments, gateways)}
RULES = "Made by dashboards/grafana/source. Copy to /etc/grafana/provisioning/alerting/; contact points and policies are yours."


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        self.print_usage(sys.stderr)
        self.exit(64, f"{message}\n")


def files(zone: str) -> dict[str, str]:
    """Path below the folder -> text."""
    found = {"provisioning/alerting/parkmon.yaml": yaml_text.text(alarms.provisioned(BOARDS), RULES)}
    for language in LANGUAGES:
        for key, board in BOARDS.items():
            json_text = json.dumps(said(language, made(board, language, zone)), ensure_ascii=False, indent=1)
            found[f"{language}/{key}.json"] = json_text + "\n"
    return found


def main() -> int:
    parser = Parser(prog="dashboards/grafana/source", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=HERE, metavar="FOLDER")
    parser.add_argument("--zone", default="Asia/Shanghai", help="the park's time zone")
    parser.add_argument("--check", action="store_true", help="write nothing; say what differs")
    options = parser.parse_args()
    made_here = files(options.zone)
    if options.check:
        kept = {f"{language}/{path.name}" for language in LANGUAGES for path in (options.output / language).glob("*.json")}
        wrong = [name for name, text in made_here.items() if not (path := options.output / name).is_file() or path.read_text(encoding="utf-8") != text]
        wrong += sorted(kept - set(made_here))
        for name in wrong:
            print(f"{name}: is not what dashboards/grafana/source makes; run it", file=sys.stderr)
        return 1 if wrong else 0
    for name, text in made_here.items():
        path = options.output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
