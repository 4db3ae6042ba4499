"""The texts of the pages: each is used somewhere, and what is used is there. That both languages have the same ones is held by test_web_server.c."""

from __future__ import annotations

import json
import re

from harness.servers import SOURCE

WEB = SOURCE / "dashboards/web"
TEXTS = set(json.loads((WEB / "en.json").read_text()))
PAGES = {path.name: path.read_text() for path in WEB.glob("*.html")}
SCRIPTS = {path.name: path.read_text() for path in WEB.glob("*.js")}
PROGRAM = {path.name: path.read_text() for path in (SOURCE / "collector/web").glob("*.[ch]")}

# Calls that take a key, as far as it.
C_CALLS = (r'\bops_add_(?:heading|cell|note|time|done)\([^,"]+, "(\w+)"', r'\bops_begin_table\([^,"]+, "(\w+)"', r'\bops_add_text\([^,"]+, "\w+", "(\w+)"',
           r'\b\w+_text\([^,"]+, "(\w+)", NULL', r'\bcontext_text\([^,"]+, [^,"]+, "(\w+)"\)', r'\bpublic_begin_section\([^,"]+, "[^"]*", "(\w+)"')
C_HEADS = r"const char \*const heads\[\] = \{([^}]*)\}"
# A key is made of a word and a name: text(x, "word", name).
C_MADE = r'(?<!_add_)text(?:_of)?\((?:[^;{}]*?[ (])?"(\w+)"(?: : "(\w+)")?,\s*(?!\s|NULL)'


def words(found) -> set[str]:
    return {word for one in found for word in ([one] if isinstance(one, str) else one) if word}


def keys_named() -> set[str]:
    """Those that a call, a head of a table or a page names whole."""
    strings = [string for text in PROGRAM.values() for string in re.findall(r'"(?:\\.|[^"\\\n])*"', text)]
    named = words(re.findall(r"\{\{(\w+)\}\}", "\n".join([*PAGES.values(), *strings])))
    for text in SCRIPTS.values():
        for asked in re.findall(r"\b(?:text|hasText)\(([^,()`]*)[,)]", text):
            named |= words(re.findall(r"'(\w+)'", re.sub(r"[!=]== '\w*'", "", asked)))
    for text in PROGRAM.values():
        for call in C_CALLS:
            named |= words(re.findall(call, text))
        for heads in re.findall(C_HEADS, text):
            named |= words(re.findall(r'"(\w+)"', heads))
    return named


def keys_made() -> set[str]:
    """The words before the names."""
    made = words(re.findall(r"`(\w+)_\$\{", "\n".join(SCRIPTS.values())))
    for text in SCRIPTS.values():
        if re.search(r"`\$\{\w+\}_\$\{", text):  # the word is the last that a function is given
            made |= words(re.findall(r", '(\w+)'\);", text))
    for text in PROGRAM.values():
        made |= words(re.findall(C_MADE, text)) | words(re.findall(r'"(\w+)_%s"', text))
    return made


def keys_quoted() -> set[str]:
    """Whatever may be one: what is quoted, and that with an end that a script gives it."""
    quoted = words(re.findall(r"[\"'`](\w+)[\"'`]", "\n".join([*SCRIPTS.values(), *PROGRAM.values()])))
    ends = words(re.findall(r"`\$\{\w+\}(_\w+)`", "\n".join(SCRIPTS.values())))
    return quoted | {word + end for word in quoted for end in ends}


def test_every_text_that_is_named_is_there():
    named = keys_named()
    assert len(named) > 250, "the rule would pass on nothing"
    assert sorted(named - TEXTS) == []


def test_every_text_is_used():
    made, quoted = keys_made(), keys_quoted() | keys_named()
    assert sorted(key for key in TEXTS if key not in quoted and not any(key.startswith(f"{word}_") for word in made)) == []


# Of each state the one Chinese word; reserved is what is booked, and what is as if it were.
STATES = {"AVAILABLE": "可用", "AVAILABLE_SHORT": "短时可用", "AVAILABLE_DEGRADED": "受限可用", "IN_USE": "使用中", "RESERVED": "已预约", "CLOSED": "未开放",
          "OUT_OF_SERVICE": "停用", "UNKNOWN": "状态未知"}
OTHERS = {"空闲": {"part_free"}, "暂停服务": set(), "不开放": set(), "已占用": set(), "停机": {"about_outage_planned"}, "闭馆": set()}  # and where they are of something else


def test_a_state_has_one_chinese_word_on_every_page():
    texts = json.loads((WEB / "zh-CN.json").read_text())
    for state, word in STATES.items():
        assert texts[f"state_{state}"] == word and word in texts[f"state_{state}_time"]
        assert texts.get(f"now_{state}", word).removeprefix("{n} 台") == word
        assert texts.get(f"timeline_{state.lower().replace('available', 'free')}", word) == word
    groups = {"free": "AVAILABLE", "soon": "AVAILABLE", "busy": "IN_USE", "closed": "CLOSED", "unknown": "UNKNOWN", "out": "OUT_OF_SERVICE"}
    for group, state in groups.items():
        assert STATES[state] in texts[f"group_{group}"]
    assert texts["day_free"] == STATES["AVAILABLE"] and texts["day_closed"] == texts["used_closed"] == STATES["CLOSED"]
    for other, kept in OTHERS.items():
        assert {key for key, text in texts.items() if other in text} == kept, other
