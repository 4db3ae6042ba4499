"""Our dashboards against the types that Grafana publishes (npm: @grafana/schema), of the oldest version that we promise and of the newest."""

from __future__ import annotations

import json
import re
from pathlib import Path

import grafana
import pytest
from harness import npm
from harness.process import run
from harness.servers import SOURCE

# What must not pass: of each (name, text that is there, text instead of it).
BROKEN = [("option", '"showUnfilled": true', '"showUnfiled": true'), ("word", '"justifyMode": "auto"', '"justifyMode": "middle"'),
          ("number", '"schemaVersion": 39', '"schemaVersion": "39"'), ("field", '"graphTooltip": 1', '"grafTooltip": 1'),
          ("custom", '"drawStyle": "bars"', '"drawStyle": "bar"'), ("kind", '"type": "bargauge"', '"type": "bars"'),
          ("query", '"rawQuery": true', '"rawQuery": false')]


def compiled(folder: Path, schema: str, boards: dict[str, str]) -> str:
    """What the compiler says of these boards, JSON by name, with one version of the schema."""
    installed = npm.modules()
    (folder / "node_modules/@grafana").mkdir(parents=True)
    (folder / "node_modules/@grafana/schema").symlink_to(installed / schema)
    (folder / "check.ts").write_text((SOURCE / "tests/grafana/check.ts").read_text())
    for name, text in boards.items():
        (folder / f"{name}.ts").write_text(f"import type {{ Dashboard }} from './check';\nexport const board: Dashboard = {text};\n", encoding="utf-8")
    (folder / "tsconfig.json").write_text(json.dumps({
        "compilerOptions": {"strict": True, "noEmit": True, "module": "esnext", "moduleResolution": "bundler", "target": "es2022", "skipLibCheck": True,
                            "types": [], "preserveSymlinks": True, "paths": {"@grafana/schema/dist/*": ["./node_modules/@grafana/schema/dist/*"]}},
        "files": [f"{name}.ts" for name in boards]}))
    done = run(["node", installed / "typescript/bin/tsc", "-p", folder, "--pretty", "false"], 300, cwd=folder)
    assert done.returncode == (2 if done.stdout else 0), done.stderr
    return done.stdout


@pytest.mark.parametrize("schema", ["@grafana/schema", "grafana-schema-11"])
def test_dashboards_are_of_the_types_that_grafana_publishes(tmp_path, schema):
    try:
        npm.modules()
    except LookupError as error:
        pytest.skip(f"NOT TESTED: {error}")
    texts = {f"{language}-{key}": (grafana.FOLDER / language / f"{key}.json").read_text(encoding="utf-8") for language in grafana.LANGUAGES for key in grafana.KEYS}
    good = texts["en-energy"]
    for name, there, instead in BROKEN:
        assert there in good, name
        texts[f"broken-{name}"] = good.replace(there, instead, 1)
    said = compiled(tmp_path, schema, texts)
    found = set(re.findall(r"^([\w-]+)\.ts\(", said, re.MULTILINE))
    assert found == {f"broken-{name}" for name, *_ in BROKEN}, said
