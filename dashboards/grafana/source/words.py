"""Everything that people read is said in both languages, side by side; `said` keeps one of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("zh-CN", "en")
PAGES = Path(__file__).resolve().parents[2] / "web"
CATALOGUES = {language: json.loads((PAGES / f"{language}.json").read_text(encoding="utf-8")) for language in LANGUAGES}


@dataclass(frozen=True)
class Text:
    zh: str
    en: str

    def __add__(self, more: "Text | str") -> "Text":
        return Text(self.zh + more, self.en + more) if isinstance(more, str) else Text(self.zh + more.zh, self.en + more.en)

    def __radd__(self, before: str) -> "Text":
        return Text(before + self.zh, before + self.en)

    def both(self) -> str:
        return f"{self.zh} / {self.en}"


def page(key: str) -> Text:
    """As the pages say it (dashboards/web), so that a state has one name everywhere."""
    return Text(*(CATALOGUES[language][key] for language in LANGUAGES))


def said(language: str, value):
    """The same structure with every text in one language."""
    if isinstance(value, Text):
        return value.zh if language == "zh-CN" else value.en
    if isinstance(value, dict):
        return {key: said(language, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [said(language, item) for item in value]
    return value
