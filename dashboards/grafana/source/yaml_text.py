"""What json.dumps could say, as YAML that a person likes to read: blocks, and scalars quoted as in JSON, which YAML reads alike."""

from __future__ import annotations

import json


def scalar(value) -> str:
    return json.dumps(value, ensure_ascii=False) if value != {} and value != [] else str(value)


def lines(value, indent: int = 0) -> list[str]:
    margin = "  " * indent
    if isinstance(value, dict) and value:
        found = []
        for key, item in value.items():
            is_block = isinstance(item, (dict, list)) and item
            found += [f"{margin}{key}:", *lines(item, indent + 1)] if is_block else [f"{margin}{key}: {scalar(item)}"]
        return found
    if isinstance(value, list) and value:
        found = []
        for item in value:
            first, *rest = lines(item, indent + 1)
            found += [f"{margin}- {first.lstrip()}", *rest]
        return found
    return [margin + scalar(value)]


def text(value, comment: str) -> str:
    return "\n".join([f"# {comment}", *lines(value)]) + "\n"
