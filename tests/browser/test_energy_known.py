"""What /ops/energy says of an amount that is known in part, and what it holds an amount against."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from test_energy import TEXTS, amount, api, history, quarter_now, seen, show  # noqa: F401 (a fixture)


def known(value: dict) -> str | None:
    """An amount, or what is known of it."""
    if value["amount"] is not None:
        return amount(value["amount"])
    return f"≥ {amount(value['known'])}" if value["covered"] else None


def change(now: dict, before: dict) -> str | None:
    if now["amount"] is None or before["amount"] is None:
        return None
    by = Decimal(now["amount"]) / Decimal(before["amount"]) - 1
    return f"{'▲' if by > Decimal('0.0005') else '▼' if by < Decimal('-0.0005') else '='} {100 * abs(by):,.1f} %"


def compared(now: dict, before: dict, lang: str, days: list[date]) -> str:
    texts = TEXTS[lang]
    wanted = texts["before_unknown" if known(before) is None else "compared_before"]
    values = {"days": " – ".join(str(day) for day in sorted(set(days))), "change": change(now, before) or texts["change_unknown"], "amount": known(before) or "", "unit": "kWh"}
    for key, value in values.items():
        wanted = wanted.replace(f"{{{key}}}", value)
    return wanted


def test_a_period_under_way_is_held_against_as_much_of_the_one_before(history, browser):  # noqa: F811
    def look() -> list[str]:
        show(browser, history, "lang=en&length=week&carrier=electricity")
        return browser.run("return [document.getElementById('total').textContent, document.getElementById('comparison').textContent]")

    end, shown = seen(quarter_now, look)
    begin = (end - timedelta(days=end.weekday())).replace(hour=0, minute=0)
    begin = begin - timedelta(days=7) if begin == end else begin
    now, before = (next(row for row in api(history, by="carrier", step="all", **{"from": (begin - back).isoformat(), "to": (end - back).isoformat()})["rows"]
                        if row["id"] == "electricity")["values"][0] for back in (timedelta(0), timedelta(days=7)))
    assert shown == [known(now) or "–", compared(now, before, "en", [(at - timedelta(days=7)).date() for at in (begin, end - timedelta(seconds=1))])]


@pytest.mark.parametrize("lang", TEXTS)
@pytest.mark.parametrize("first", [-2, 2, -5])  # what is shown, what it is compared with, or both are known in part, or nothing of the one
def test_what_is_known_of_an_amount_that_is_not_whole_is_said_and_makes_no_share_and_no_change(history, browser, lang, first):  # noqa: F811
    begin = history.begin.date() + timedelta(days=first)
    end = begin + timedelta(days=4)
    earlier = begin - timedelta(days=4)
    show(browser, history, f"lang={lang}&length=custom&from={begin}&to={end - timedelta(days=1)}&carrier=electricity&by=building")
    spans = [{"from": str(a), "to": str(b)} for a, b in ((begin, end), (earlier, begin))]
    now, before = (next(row for row in api(history, by="carrier", step="all", **span)["rows"] if row["id"] == "electricity")["values"][0] for span in spans)
    assert [value["amount"] is None for value in (now, before)] == {-2: [True, True], 2: [False, True], -5: [True, True]}[first]
    assert [known(value) is None for value in (now, before)] == {-2: [False, True], 2: [False, False], -5: [True, True]}[first]
    said = browser.run("return ['total', 'comparison'].map((id) => document.getElementById(id).textContent)")
    assert said == [known(now) or "–", compared(now, before, lang, [earlier, begin - timedelta(days=1)])]
    parts, parts_before = ({row["id"]: row["values"][0] for row in api(history, by="building", of="parts", step="all", **span)["rows"] if row["carrier"] == "electricity"} for span in spans)
    rows = browser.run("return [...document.querySelectorAll('#parts tbody tr')].map((row) => [row.dataset.id.split(' ')[1], [...row.cells].slice(1, 5).map((cell) => cell.firstElementChild.textContent)])")
    whole = now["amount"] is not None
    assert len(rows) > 1
    for id, shown in rows:
        value, was = parts[id], parts_before[id]
        assert shown[0] == (f"{known(value)} kWh" if known(value) else "–") and shown[2] == (f"{known(was)} kWh" if known(was) else "–"), (id, shown)
        assert (shown[1] == "–") == (not whole) and shown[3] == (change(value, was) or "–"), (id, shown)
