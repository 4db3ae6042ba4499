"""What a row of the bench says, as a table and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field


@dataclass
class Figure:
    """One figure beside its bar and its reference of the same run.

    `value` None: not measured, and `note` says why. `bar` and `aim` bound it from above, or from below where
    `is_more_better`. `reference` is text: what was measured beside it, or that there is none.
    """

    row: str
    name: str
    unit: str
    value: float | None = None
    bar: float | None = None
    aim: float | None = None
    is_more_better: bool = False
    reference: str = "no reference"
    note: str = ""
    is_optional: bool = False  # its reference is not a part of the project: it may be absent
    runs: list[float] = field(default_factory=list)  # each single measurement behind `value`
    sent: int = 0    # readings that were sent for it
    stored: int = 0  # and that the store then held

    def holds(self, limit: float | None) -> bool | None:
        if self.value is None or limit is None:
            return None
        return self.value >= limit if self.is_more_better else self.value <= limit

    def as_json(self) -> dict:
        return {**asdict(self), "bar_holds": self.holds(self.bar), "aim_holds": self.holds(self.aim)}


def number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def limit(figure: Figure, value: float | None) -> str:
    if value is None:
        return "-"
    answer = "holds" if figure.holds(value) else "-" if figure.value is None else "MISSED"
    return f"{'>=' if figure.is_more_better else '<='} {number(value)} {answer}"


def table(figures: list[Figure]) -> str:
    head = ["figure", "value", "bar", "aim", "reference in the same run"]
    rows = [[f.name, f"{number(f.value)} {f.unit}" if f.value is not None else f"not measured: {f.note}",
             limit(f, f.bar), limit(f, f.aim), f.reference] for f in figures]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [head, *rows]]
    lines.insert(1, "-|-".join("-" * width for width in widths))
    notes = [f"{f.name}: {f.note}" for f in figures if f.note and f.value is not None]
    return "\n".join(lines + [""] * bool(notes) + notes)
