"""Who took note of an alarm hears what is news since; through the real programs, with a receiver that counts."""

from __future__ import annotations

import re
import time
from urllib.parse import urlencode

from alarm_house import Alarms, Receiver, hook, park, wait_events
from test_ops_forms import TEXTS, Person


def test_a_loss_after_an_acknowledgement_is_told_anew_and_counted(stage):
    receiver = Receiver()
    rules = '{ id = "lost"; kind = "loss"; on = ("gateway:gw-a"); clear_for = 3600; }'
    house = Alarms(stage, park(), rules, hook(receiver), "repeat = 3600;")
    house.begin()

    def lose() -> None:
        now = int(time.time() * 1000)
        house.send(f"gauge,point=x value=1 {now}", more=f" dropped=3 from={now - 9000} to={now - 8000}")

    def take_note(**seen: int) -> None:
        fired, = house.of("lost")
        status, answer = house.ask("POST", f"/api/v1/alarms/{fired['id']}/ack", house.anna, {"note": "seen", **seen})
        assert status == 200 and answer["alarm"]["acked_by"] == "anna <b>", answer

    def unacked() -> int:
        return house.collector.get_json("/api/v1/summary")["alarms"]["unacked"]

    lose()
    wait_events(receiver, "lost", ["fired"])
    take_note()
    house.bounce()
    assert unacked() == 0
    lose()
    told = wait_events(receiver, "lost", ["fired", "standing"])
    assert (told[-1]["fired_value"], told[-1]["now_value"]) == (2.0, 2.0)
    assert "[warning] Still standing: Readings lost · gateway A <1> (gw-a) · x · value 2 recorded · since " in told[-1]["text"]
    lost, = house.of("lost")
    assert (lost["value"], lost["acked"], lost["acked_by"], lost["ack_note"]) == (2.0, None, None, None) and unacked() == 1
    assert "2 recorded" in house.collector.get("/ops/alarms?lang=en")[1]
    # Who had taken note stays in sight; and nobody takes note of what he has not seen.
    assert (lost["news"], lost["acked_before"]) == (1, {"by": "anna <b>", "note": "seen"})
    status, answer = house.ask("POST", f"/api/v1/alarms/{lost['id']}/ack", house.anna, {"note": "again", "news": 0})
    assert status == 422 and "is not as it was seen (news 0, by now 1)" in answer["error"]["message"] and unacked() == 1
    for lang in ("en", "zh"):
        person = Person(house, house.anna)
        text = person.send("GET", f"/ops/alarms?lang={lang}")[2]
        name, so_far = {"en": ("A &lt;1&gt;", "so far: {}2 recorded<"), "zh": ("甲", "目前共 {}2 次<")}[lang]
        assert f'<a href="/ops/gateways?lang={lang}">{name}</a>' in text and so_far.format('<span class="nowrap">') in text
        assert f"{TEXTS[lang]['alarm_former']} anna &lt;b&gt; · seen<".replace("： ", "：") in text and 'name="news" value="1"' in text
        csrf = re.search(r'name="csrf" value="([^"]+)"', text)[1]
        status, _, text = person.send("POST", "/ops/alarms", urlencode({"csrf": csrf, "lang": lang, "id": lost["id"], "news": 0, "note": "typed"}))
        assert status == 422 and TEXTS[lang]["alarm_is_more"] in text and 'value="typed"' in text and TEXTS[lang]["alarm_note_untaken"] not in text and unacked() == 1
    take_note(news=1)
    lose()
    told = wait_events(receiver, "lost", ["fired", "standing", "standing"])
    assert told[-1]["number"] == 3 and "value 3 recorded" in told[-1]["text"]
    receiver.close()
