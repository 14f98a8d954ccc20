# SPDX-License-Identifier: MIT
"""led-mqtt: contacts on the topics of a real broker, and the buttons that speak of them."""

import random
import signal
import time

from test_button import write
from test_mqtt import (
    OTHER_BROKER,
    Broker,
    Client,
    LateBroker,
    mqtt,
    mqtt_forget,
    press,
    retained,
    things,
)
from world import BUTTON, INFO, WARNING, Skip, connect, eventually, read_all, test

DOOR = "led/pi/contact/door"
AVAILABLE = DOOR + "/availability"


def say(w, words):
    return press(w, f"CONTACT {words}\n".encode()).decode().strip()


def door(w):
    """What is retained of the contact: its state and availability."""
    now = retained(w)
    return now.get(DOOR), now.get(AVAILABLE)


def door_button(w, *options, name="press"):
    """A button that speaks of the contact."""
    return w.notified(
        BUTTON, f"--button=fifo:{w.dir}/{name}", f"--connect={w.dir}/mqtt.sock",
        "--command=CONTACT door ON", "--release-command=CONTACT door OFF", *options
    )


def published(w):
    """Discovery of the contacts, when led-mqtt has published it: what is retained has come before."""
    eventually(lambda: any("binary_sensor" in thing for thing in things(w)), 10, 0.2)


@test("mqtt: what a contact says is retained, and OK although nobody has subscribed")
def says(w):
    Broker(w)
    mqtt(w, "--contacts=door hall:motion")
    for words, state in (("door ON", ("ON", "online")), ("Door off", ("OFF", "online")),
                         ("door GONE", ("OFF", "offline")), ("door OFF", ("OFF", "online"))):
        name, said = words.lower().split()
        eventually(lambda: say(w, words) == f"OK CONTACT {name} {said.upper()}", 10)
        assert door(w) == state, (words, door(w))
    assert "led/pi/contact/hall" not in retained(w)
    assert say(w, "attic ON") == "ERR no contact is called attic: add it to MQTT_CONTACTS"
    for words in "door", "door OPEN", "door ON now", "set ON", "availability ON":
        assert say(w, words).endswith("or CONTACT NAME ON, OFF or GONE; MQTT_SEND decides which LED"), words


@test("mqtt: a contact while the broker is away is ERR, and not published later")
def broker_away(w):
    broker = Broker(w)
    program = mqtt(w, "--contacts=door")
    eventually(lambda: say(w, "door ON") == "OK CONTACT door ON", 10)
    # The end of the broker comes before what is said after it, also where both are seen at once.
    program.pause()
    broker.kill()
    with connect(w.dir / "mqtt.sock") as s:
        s.sendall(b"CONTACT door OFF\n")
        program.resume()
        assert read_all(s).startswith(b"ERR the broker is away: ")
    broker.start()
    # It has forgotten everything, and gets what was said last.
    eventually(lambda: "connected" in program.manager.status(), 20)
    eventually(lambda: door(w) == ("ON", "online"), 10, 0.2)


@test("mqtt: Home Assistant takes a contact as a binary sensor of its class, with both availabilities")
def discovery(w):
    Broker(w)
    w.line(led="contact=log")
    mqtt(w, "--contacts=front-door:garage_door contact", "--area=Hall")
    wanted = {"light/led_contact", "binary_sensor/contact_front-door", "binary_sensor/contact_contact"}
    eventually(lambda: set(things(w)) == wanted, 10, 0.2)
    found = things(w)
    message = found["binary_sensor/contact_front-door"]
    assert message["name"] == "Front door" and message["device_class"] == "garage_door"
    assert message["unique_id"] == "led_pi_contact_front-door"
    assert message["state_topic"] == "led/pi/contact/front-door"
    assert (message["payload_on"], message["payload_off"]) == ("ON", "OFF")
    assert message["availability_mode"] == "all"
    assert [its["topic"] for its in message["availability"]] == [
        "led/pi/availability", "led/pi/contact/front-door/availability"
    ]
    assert message["device"] == found["light/led_contact"]["device"]
    assert "device_class" not in found["binary_sensor/contact_contact"]


@test("mqtt: an LED called contact, and a contact of that name")
def led_called_contact(w):
    Broker(w)
    w.line(led="contact=log")
    mqtt(w, "--contacts=contact")
    client = Client(w)
    eventually(lambda: client.has(contact="OFF", contact__availability="online"))
    assert say(w, "contact GONE") == "OK CONTACT contact GONE"
    client.publish("led/pi/contact/set", "ON")
    eventually(lambda: client.has(contact="ON", contact__availability="online"))
    assert say(w, "contact OFF") == "OK CONTACT contact OFF"
    eventually(lambda: client.has(contact__contact="OFF", contact__contact__availability="online"))
    # Each is corrected.
    client.publish("led/pi/contact/contact", "ON", retain=True)
    client.publish("led/pi/contact", "OFF", retain=True)
    eventually(lambda: client.has(contact="ON", contact__contact="OFF"), 10)


@test("mqtt: of a contact that nobody has spoken of, discovery alone; what is retained is taken over")
def taken_over(w):
    Broker(w)
    client = Client(w)
    client.publish(DOOR, "ON", retain=True)
    client.publish(AVAILABLE, "offline", retain=True)
    before = len(client.messages)
    program = mqtt(w, "--contacts=door hall")
    published(w)
    ours = [m for m in client.messages[before:] if "/contact/" in m[0]]
    assert ours == [], ours
    # Foreign words that come later are corrected.
    client.publish(DOOR, "OFF", retain=True)
    eventually(lambda: client.of(DOOR) == ["ON", "OFF", "ON"], 10)
    client.publish(AVAILABLE, "", retain=True)
    eventually(lambda: client.of(AVAILABLE) == ["offline", "", "offline"], 10)
    assert door(w) == ("ON", "offline")
    # And what its own button says is the truth.
    assert say(w, "door OFF") == "OK CONTACT door OFF"
    eventually(lambda: client.of(DOOR)[3:] == ["OFF"] and client.of(AVAILABLE)[3:] == ["online"])
    client.publish(DOOR, "ON", retain=True)
    eventually(lambda: client.of(DOOR)[3:] == ["OFF", "ON", "OFF"], 10)
    # A restart says nothing of it.
    assert program.stop() == 0
    before = len(client.messages)
    mqtt(w, "--contacts=door hall")
    eventually(lambda: client.last.get("led/pi/availability") == "online")
    published(w)
    ours = [m for m in client.messages[before:] if "/contact/" in m[0]]
    assert ours == [], ours
    assert "led/pi/contact/hall" not in client.last


@test("mqtt: three topics of a contact go when it is taken out of MQTT_CONTACTS, and it can come back")
def contact_gone(w):
    Broker(w)
    w.line(led="kitchen=log")
    for names in "door hall", "hall:motion", "", "door":
        program = mqtt(w, f"--contacts={names}")
        kept = {name.partition(":")[0] for name in names.split()}
        wanted = {"light/led_kitchen"} | {f"binary_sensor/contact_{name}" for name in kept}
        eventually(lambda: set(things(w)) == wanted, 10, 0.2)
        for name in sorted(kept):
            assert say(w, f"{name} ON") == f"OK CONTACT {name} ON"
        left = {topic for topic in retained(w) if "/contact/" in topic}
        assert left == {f"led/pi/contact/{name}{end}" for name in kept for end in ("", "/availability")}
        assert program.stop() == 0


@test("mqtt: --forget leaves nothing of a contact, whether the settings name it or not", quick=False, takes=10)
def forget(w):
    Broker(w)
    client = Client(w)
    client.publish("led/other/contact/door", "ON", retain=True)
    for options in [], ["--contacts=door"]:
        program = mqtt(w, "--contacts=door:door contact")
        published(w)
        for words in "door ON", "contact GONE":
            assert say(w, words) == f"OK CONTACT {words}"
        assert program.stop() == 0
        assert len(retained(w)) > 5
        assert mqtt_forget(w, *options).wait(40) == 0
        assert retained(w) == {"led/other/contact/door": "ON"}


@test("mqtt: --forget of contacts with brokers that send late, or nothing to wildcards", quick=False, takes=30)
def forget_late(w):
    sensor = "homeassistant/binary_sensor/led_pi/contact_{}/config"

    def left():
        return {
            topic: b"x"
            for name in ("door", "hall")
            for topic in (f"led/pi/contact/{name}", f"led/pi/contact/{name}/availability", sensor.format(name))
        }

    late = LateBroker(w, left(), True, 0.5)
    program = mqtt_forget(w)
    assert program.wait(100) == 0, program.output()
    assert late.retained == {}, late.retained
    late.wildcards, late.delay = False, 0.1
    late.retained.update(left())
    program = mqtt_forget(w, "--contacts=door")
    assert program.wait(100) == 1
    assert "the broker does not send what is retained: topics may be left" in program.output()
    assert not [topic for topic in late.retained if "door" in topic], late.retained


@test("mqtt: a broker that sends what is retained of contacts late: it is taken over if nobody has spoken", takes=8)
def late_broker(w):
    late = LateBroker(w, {DOOR: b"ON", AVAILABLE: b"offline", "led/pi/contact/hall": b"ON"}, True, 1.5)
    mqtt(w, "--contacts=door hall")
    eventually(lambda: say(w, "hall OFF") == "OK CONTACT hall OFF", 20)
    published_at = lambda: any("contact_door" in topic for topic in late.retained)
    eventually(published_at, 10)
    time.sleep(2.5)  # what is retained has come, and nothing has become of it
    assert late.retained[DOOR] == b"ON" and late.retained[AVAILABLE] == b"offline"
    assert late.retained["led/pi/contact/hall"] == b"OFF"
    assert late.retained["led/pi/contact/hall/availability"] == b"online"


@test("mqtt: led-mqtt stopped, a contact is ON, OFF and ON, led-mqtt goes on: ON stays", quick=False, takes=20)
def stopped(w):
    Broker(w)
    program = mqtt(w, "--contacts=door")
    client = Client(w, DOOR)
    eventually(lambda: say(w, "door OFF") == "OK CONTACT door OFF", 10)
    # Clients that wait, and clients that have gone.
    for seconds in 0.5, 5.5:
        program.pause()
        clients = [connect(w.dir / "mqtt.sock", 20) for _ in range(3)]
        for s, word in zip(clients, ("ON", "OFF", "ON")):
            s.sendall(f"CONTACT door {word}\n".encode())
        for s in clients[:2]:
            s.close()
        time.sleep(seconds)
        program.resume()
        assert read_all(clients[2]) == b"OK CONTACT door ON\n"
        assert door(w) == ("ON", "online")
        assert say(w, "door OFF") == "OK CONTACT door OFF"
    # With a button, whose attempts have an end.
    button = door_button(w)
    for seconds in 1, 12:
        eventually(lambda: door(w) == ("OFF", "online"), 15, 0.2)
        program.pause()
        for word in "down", "up", "down":
            write(w, word)
            time.sleep(seconds / 3)
        program.resume()
        eventually(lambda: "closed since" in button.manager.status() and "has CONTACT door ON" in button.manager.status(), 15)
        assert door(w) == ("ON", "online"), client.of(DOOR)
        write(w, "up")


@test("mqtt: a contact is ON, OFF and ON again while the broker hangs: ON stays", quick=False, takes=9)
def newest_joins(w):
    broker = Broker(w)
    mqtt(w, "--contacts=door")
    client = Client(w, DOOR)
    eventually(lambda: say(w, "door OFF") == "OK CONTACT door OFF", 10)
    broker.process.pause()
    # The times are what is measured: the first two have no client any more when the third comes.
    clients = [connect(w.dir / "mqtt.sock", 20) for _ in range(3)]
    for s, word, pause in zip(clients, ("ON", "OFF", "ON"), (1, 5.3, 0.5)):
        s.sendall(f"CONTACT door {word}\n".encode())
        time.sleep(pause)
    broker.process.resume()
    assert [read_all(s) for s in clients] == [b"", b"", b"OK CONTACT door ON\n"]
    eventually(lambda: client.of(DOOR) == ["OFF", "ON", "OFF", "ON"])
    assert door(w) == ("ON", "online")


@test("mqtt: a contact's button: GONE at its stop, and again what it is", takes=3)
def button_stops(w):
    if OTHER_BROKER:
        raise Skip("it is about the button")
    Broker(w)
    mqtt(w, "--contacts=door")
    eventually(lambda: "led/pi/availability" in retained(w), 10, 0.2)
    button = door_button(w)
    eventually(lambda: door(w) == ("OFF", "online"), 20, 0.2)
    assert button.stop() == 0
    assert door(w) == ("OFF", "offline")
    button = door_button(w)
    eventually(lambda: door(w) == ("OFF", "online"), 20, 0.2)
    write(w, "down")
    eventually(lambda: door(w) == ("ON", "online"), 20, 0.2)
    # Killed, it leaves what it was.
    button.stop(signal.SIGKILL)
    assert door(w) == ("ON", "online")


@test("mqtt: a contact moved 40 times in 30 s while the broker is away: one command, or none if it had it", quick=False, takes=90)
def moved_during_outage(w):
    if OTHER_BROKER:
        raise Skip("it is about mosquitto's restarts")
    broker = Broker(w)
    mqtt(w, "--contacts=door")
    door_button(w)
    eventually(lambda: door(w) == ("OFF", "online"), 20, 0.2)
    carried_out = lambda: [line.partition('"')[2] for line in w.log("led-mqtt", INFO) if ": OK CONTACT" in line]
    commands = ['CONTACT door OFF": OK CONTACT door OFF']
    for moves in (39, 40):
        broker.kill()
        for i in range(moves):
            write(w, "down" if (i + moves) % 2 else "up")
            time.sleep(30 / moves)  # what is tried: an outage of so long
        broker.start()
        eventually(lambda: door(w) == ("ON", "online"), 20, 0.2)
        # Longer than any pause.
        time.sleep(11)
        commands += ['CONTACT door ON": OK CONTACT door ON'] * (moves == 39)
        assert carried_out() == commands, carried_out()
        assert door(w) == ("ON", "online")


@test("mqtt: a contact's settings, and what is wrong with them")
def settings(w):
    for value, why in (
        ("Door", "a contact's name is like an LED's, and neither set nor availability"),
        ("door:", "the class of a contact has 1 to 31 small letters and underscores"),
        ("door door", "a contact is named twice"),
    ):
        program = mqtt_forget(w, f"--contacts={value}")
        assert program.wait(20) == 2
        assert program.output() == f"led-mqtt: --contacts={value}: {why}\n", program.output()
    Broker(w)
    mqtt(w, env={"MQTT_CONTACTS": "door:door\thall"})
    eventually(lambda: say(w, "hall ON") == "OK CONTACT hall ON", 10)


@test("mqtt: a contact agrees with the broker, through kills and stops of each side", quick=False, takes=60)
def storm(w):
    if OTHER_BROKER:
        raise Skip("it is about mosquitto's restarts")
    chance = random.Random(5)
    config = ("persistence true", f"persistence_location {w.dir}/", "autosave_interval 1", "autosave_on_changes true")
    broker = Broker(w, *config)
    programs = {"led-mqtt": mqtt(w, "--contacts=door"), "button": door_button(w)}
    closed = False

    def throw(most):
        nonlocal closed
        for _ in range(chance.randrange(most)):
            closed = not closed
            write(w, "down" if closed else "up")
            time.sleep(chance.random() * 0.05)

    def restart(name):
        programs[name] = mqtt(w, "--contacts=door") if name == "led-mqtt" else door_button(w)

    for turn in range(14):
        throw(3)
        what = chance.choice(["led-mqtt", "led-mqtt", "broker", "broker", "button"])
        how = chance.choice([signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM])
        if what == "button":
            programs["button"].stop(signal.SIGKILL if how == signal.SIGSTOP else how)
            restart("button")
            closed = False  # as every FIFO is at first
        else:
            process = broker.process if what == "broker" else programs[what]
            if how == signal.SIGSTOP:
                process.pause()
            else:
                process.stop(how)
            throw(8)
            time.sleep(7 if turn == 5 else chance.random() * 2)
            if how == signal.SIGSTOP:
                process.resume()
            elif what == "broker":
                broker.start()
            else:
                restart(what)
        throw(3)
        eventually(lambda: "connected" in programs["led-mqtt"].manager.status(), 70)
        word = "ON" if closed else "OFF"
        state = (word, "online")
        # What the broker has may be of before, and an older word still come before the newest.
        server_has = lambda: f"has CONTACT door {word}" in programs["button"].manager.status()
        eventually(lambda: server_has() and door(w) == state, 15, 0.2)
        # Nothing is on its way that would change it.
        time.sleep(0.5)
        assert door(w) == state, (turn, what, how, door(w))
