"""States by icon, word and colour: the icons and words are those of the visitors' page."""

from __future__ import annotations

from words import Text, page

STATUSES = {"AVAILABLE": ("✓", "green"), "AVAILABLE_DEGRADED": ("◐", "semi-dark-green"), "AVAILABLE_SHORT": ("◔", "light-green"),
            "IN_USE": ("●", "blue"), "RESERVED": ("◆", "purple"), "CLOSED": ("○", "text"), "UNKNOWN": ("?", "orange"),
            "OUT_OF_SERVICE": ("✕", "red"), "NOT_SHARED": ("–", "text")}
REASONS = ("not_shared", "outage", "resource_down", "planned_outage", "session", "running", "closed", "grace", "reserved", "cooldown",
           "conflict", "stale", "no_source", "no_activity", "off", "short", "optional_resource", "problem", "warmup", "free")
ACTIVITIES = {"running": (Text("● 运行", "● Running"), "blue"), "standby": (Text("◐ 待机", "◐ Standby"), "yellow"),
              "off": (Text("○ 关机", "○ Off"), "text"), "unknown": (Text("? 未知", "? Not known"), "orange")}
QUALITIES = {"measured": (Text("✓ 实测", "✓ Measured"), "green"), "manual": (Text("✎ 人工", "✎ By hand"), "blue"),
             "estimated": (Text("≈ 估算", "≈ Estimated"), "yellow"), "unknown": (Text("? 未知", "? Not known"), "red")}


def mapping(words: dict) -> list[dict]:
    """`words`: value -> (text, colour)."""
    options = {value: {"text": text, "index": i} | ({"color": color} if color else {})
               for i, (value, (text, color)) in enumerate(words.items())}
    return [{"type": "value", "options": options}]


WRITING = [{"type": "range", "options": {"from": 1, "to": None, "result": {"text": Text("✓ 数据正在写入", "✓ Data is being written"), "color": "green", "index": 0}}}]
ONLINE = mapping({"1": ("✓ " + page("online"), "green"), "0": ("✕ " + page("offline"), "red")})
STATUS = mapping({name: (f"{icon} " + page(f"state_{name}"), color) for name, (icon, color) in STATUSES.items()})
REASON = mapping({name: (page(f"why_{name}"), None) for name in REASONS})
ACTIVITY = mapping(ACTIVITIES)
QUALITY = mapping(QUALITIES)
