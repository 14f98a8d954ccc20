# SPDX-License-Identifier: MIT
"""Several LEDs in one led-line, and pulses."""

import random
import signal
import time

from test_line import ms_ago, passed, unix_listener
from world import LED_LINE, WARNING, ask, eventually, test, test_for_each_server

THREE = "log kitchen=log door=log"


def at_socket(w):
    """Sends commands to led-line's own socket."""
    return lambda command: ask(command.encode() + b"\n", w.dir / "line.sock").decode().rstrip("\n")


def restarted(w, line, led, name, before=()):
    """Starts led-line with what the service manager has kept of another one, which was killed."""
    line.kill()
    line.wait()
    store = line.manager.store(before)
    listener = unix_listener(w, w.dir / f"{name}.sock")
    leds = [f"--led={spec}" for spec in led.split()]
    again = passed(w, [*store, ("x.socket", listener.fileno())], *leds)
    return again, store, lambda c: ask(c.encode() + b"\n", w.dir / f"{name}.sock").decode().rstrip("\n")


def shown(w):
    """What the log LEDs have shown: pairs of name and state."""
    texts = [text.split() for text in w.log("led-line") if " Status: " in text]
    return [("led" if words[1] == "Status:" else words[1], words[-1]) for words in texts]


@test_for_each_server("several LEDs, by name")
def by_name(w, how):
    w.serve(how, led=THREE)
    for command, answer in [
        (b"LED LIST\n", b"OK LED LIST led=OFF kitchen=OFF door=OFF\n"),
        (b"LED ON\n", b"OK LED ON\n"),
        (b"LED kitchen ON\n", b"OK LED kitchen ON\n"),
        (b"led Door toggle\n", b"OK LED door ON\n"),
        (b"LED door STATUS\n", b"OK LED door ON\n"),
        (b"LED led OFF\n", b"OK LED OFF\n"),
        (b"LED LIST\n", b"OK LED LIST led=OFF kitchen=ON door=ON\n"),
        (b"LED ALL OFF\n", b"OK LED ALL OFF\n"),
        (b"LED LIST\n", b"OK LED LIST led=OFF kitchen=OFF door=OFF\n"),
        (b"led all on\n", b"OK LED ALL ON\n"),
        (b"LED LIST\n", b"OK LED LIST led=ON kitchen=ON door=ON\n"),
        (b"LED cellar ON\n", b"ERR no LED is called cellar; LED LIST names them\n"),
        (b"LED ALL TOGGLE\n", b"ERR LED ALL takes ON and OFF\n"),
        (b"LED kitchen PULSE 0\n", b"ERR LED PULSE takes 1 to 3600000 milliseconds\n"),
        (b"LED kitchen PULSE 3600000\n", b"OK LED kitchen ON\n"),
        (b"LED kitchen OFF\n", b"OK LED kitchen OFF\n"),
    ]:
        assert ask(command) == answer, (command, answer)


@test("where all LEDs have names, LED ON names them")
def all_have_names(w):
    w.line(led="kitchen=log door=log")
    send = at_socket(w)
    for command in "LED ON", "LED STATUS", "LED PULSE 10":
        assert send(command) == "ERR which LED? kitchen, door"
    assert send("LED led ON") == "ERR no LED is called led; LED LIST names them"
    assert send("LED LIST") == "OK LED LIST kitchen=OFF door=OFF"


@test("32 LEDs, from the variable, with blanks and newlines")
def thirty_two(w):
    names = [f"a-long-name-no{i:02}" for i in range(32)]
    env = {"LED": " \n\t".join(f"{name}=log" for name in names), "LED_LISTEN": f"{w.dir}/line.sock"}
    line = w.notified(LED_LINE, env=env)
    send = at_socket(w)
    assert send(f"LED {names[31]} ON") == f"OK LED {names[31]} ON"
    states = "=OFF ".join(names)
    assert send("LED LIST") == f"OK LED LIST {states}=ON"
    assert len(line.manager.store()) == 32
    eventually(lambda: f"{names[30]} is off, {names[31]} is on" in line.manager.status())


@test("an LED whose hardware is missing does not hold up the others")
def missing(w):
    line = w.line(led="log pump=leds:nothing door=leds:nowhere lamp=log")
    send = at_socket(w)
    nothing = "there is no LED nothing in /sys/class/leds"
    nowhere = "there is no LED nowhere in /sys/class/leds"
    assert send("LED lamp ON") == "OK LED lamp ON"
    assert send("LED pump ON") == f"ERR {nothing}"
    assert send("LED LIST") == "OK LED LIST led=OFF pump=ERR door=ERR lamp=ON"
    assert send("LED ALL OFF") == f"OK LED ALL OFF except pump: {nothing}; door: {nowhere}"
    assert send("LED LIST") == "OK LED LIST led=OFF pump=ERR door=ERR lamp=OFF"
    status = f"LED led is off, pump: {nothing}, door: {nowhere}, lamp is off"
    eventually(lambda: line.manager.status() == status)
    assert w.log("led-line", WARNING) == [
        f"LED pump=leds:nothing: {nothing}",
        f"LED door=leds:nowhere: {nowhere}",
    ]


@test("where no LED works, LED ALL is ERR")
def none_works(w):
    w.line(led="a=leds:nothing b=leds:nowhere")
    assert at_socket(w)("LED ALL ON") == (
        "ERR a: there is no LED nothing in /sys/class/leds; "
        "b: there is no LED nowhere in /sys/class/leds"
    )


@test("a restart with another list: those that stay keep their state, those that go are removed")
def another_list(w):
    line = w.line(led="log kitchen=log door=log")
    assert sorted(name for name, _ in line.manager.store()) == [
        "state-door=log", "state-kitchen=log", "state-log",
    ]
    send = at_socket(w)
    send("LED ON")
    send("LED door ON")
    send("LED kitchen ON")
    # In another order, one LED gone, one with another SPEC, one new.
    again, store, send = restarted(
        w, line, "lamp=log,initial=on door=log kitchen=leds:nothing log,initial=off", "again"
    )
    assert send("LED LIST") == "OK LED LIST lamp=ON door=ON kitchen=ERR led=ON"
    assert sorted(name for name, _ in again.manager.store(store)) == [
        "state-door=log", "state-kitchen=leds_nothing", "state-lamp=log", "state-log",
    ]


@test("initial= for each LED, and one state file for all with initial=last")
def initial(w):
    led = "log a=log,initial=on b=log,initial=last c=log,initial=off d=log,initial=last,pulse=3600000"
    env = {"STATE_DIRECTORY": w.dir}
    line = w.line("--initial=last", led=led, env=env)
    send = at_socket(w)
    assert send("LED LIST") == "OK LED LIST led=OFF a=ON b=OFF c=OFF d=OFF"
    assert send("LED ALL ON") == "OK LED ALL ON"
    line.stop()
    # What a pulse has lit is not lit after a power cut.
    assert (w.dir / "last").read_text() == "on\nb on\nd off\n"
    w.line("--initial=last", led=led, env=env)
    assert send("LED LIST") == "OK LED LIST led=ON a=ON b=ON c=OFF d=OFF"


@test("PULSE lights an LED for its time, and what comes later takes its place")
def pulse(w):
    w.line(led="a=log b=log c=log d=log e=log")
    send = at_socket(w)
    begin = time.monotonic()
    for name in "abcde":
        assert send(f"LED {name} PULSE 300") == f"OK LED {name} ON"
    assert send("LED b ON") == "OK LED b ON"
    assert send("LED c TOGGLE") == "OK LED c OFF"
    assert send("LED d PULSE 3600000") == "OK LED d ON"
    # An older command that is late changes nothing.
    assert send(f"LED e OFF @{ms_ago(2000)}") == "OK LED e ON"
    assert send("LED LIST") == "OK LED LIST a=ON b=ON c=OFF d=ON e=ON" or time.monotonic() > begin + 0.3
    eventually(lambda: send("LED LIST") == "OK LED LIST a=OFF b=ON c=OFF d=ON e=OFF")
    assert time.monotonic() >= begin + 0.3
    # All of these times are over, too.
    send("LED a PULSE 400")
    eventually(lambda: send("LED a STATUS") == "OK LED a OFF")
    assert send("LED LIST") == "OK LED LIST a=OFF b=ON c=OFF d=ON e=OFF"


@test("a PULSE with a key is carried out once")
def pulse_key(w):
    w.line(led="log")
    send = at_socket(w)
    assert send("LED PULSE 50 #x") == "OK LED ON"
    eventually(lambda: send("LED STATUS") == "OK LED OFF")
    assert send("LED PULSE 50 #x") == "OK LED OFF"
    assert shown(w)[1:] == [("led", "On"), ("led", "Off")]


@test("pulse=: whatever lights the LED, it goes out; the shorter time counts")
def pulse_option(w):
    w.line(led="a=log,pulse=300 b=log,pulse=300,initial=on c=log,pulse=3600000 d=log,pulse=300")
    send = at_socket(w)
    for command in "LED a ON", "LED c PULSE 300", "LED d PULSE 3600000":
        assert send(command).startswith("OK LED ")
    eventually(lambda: send("LED LIST") == "OK LED LIST a=OFF b=OFF c=OFF d=OFF")
    time.sleep(0.02)  # more than a tick of the kernel, to which a command's time is known
    assert send("LED a TOGGLE") == "OK LED a ON"
    eventually(lambda: send("LED LIST") == "OK LED LIST a=OFF b=OFF c=OFF d=OFF")
    # Each ON starts the time anew.
    begin = time.monotonic()
    for _ in range(20):
        assert send("LED a ON") == "OK LED a ON"
        last = time.monotonic()
        time.sleep(0.025)
    eventually(lambda: send("LED a STATUS") == "OK LED a OFF")
    assert last > begin + 0.3 and time.monotonic() > last + 0.25


@test("a pulse ends on time over kill -9, or at once where its time has passed")
def pulse_over_restart(w):
    led = "a=log b=log c=log,pulse=600"
    line = w.line(led=led)
    send = at_socket(w)
    begin = time.monotonic()
    for command in "LED a PULSE 100", "LED b PULSE 600", "LED c ON":
        assert send(command).startswith("OK LED ")
    line.send_signal(signal.SIGSTOP)
    time.sleep(0.2)
    line, store, send = restarted(w, line, led, "again")
    assert send("LED a STATUS") == "OK LED a OFF"
    assert send("LED LIST") == "OK LED LIST a=OFF b=ON c=ON" or time.monotonic() > begin + 0.6
    eventually(lambda: send("LED LIST") == "OK LED LIST a=OFF b=OFF c=OFF")
    assert time.monotonic() >= begin + 0.6
    # It does not come back at the next start.
    line, store, send = restarted(w, line, led, "third", store)
    assert send("LED LIST") == "OK LED LIST a=OFF b=OFF c=OFF"


@test("a pulse ends on time over kill -9 at any moment", quick=False)
def pulse_killed_at_random(w):
    numbers = random.Random(1)
    line, store, send = w.line(led="log"), (), at_socket(w)
    lit = out = took = 0
    for number in range(40):
        # As long as a restart takes here, or four times that.
        ms = numbers.randint(20, 100) + int(1000 * numbers.uniform(0, 4) * took)
        sent = time.monotonic()
        assert send(f"LED PULSE {ms}") == "OK LED ON"
        due = time.monotonic() + ms / 1000
        time.sleep(numbers.uniform(0, ms / 1000))
        killed = time.monotonic()
        line, store, send = restarted(w, line, "log", f"again{number}", store)
        asked = time.monotonic()
        took = asked - killed
        answer = send("LED STATUS")
        assert answer in ("OK LED ON", "OK LED OFF")
        # Until then, or from then on, there is only one right answer.
        if time.monotonic() < sent + ms / 1000:
            assert answer == "OK LED ON", number
            lit += 1
        elif asked > due + 0.01:
            assert answer == "OK LED OFF", number
            out += 1
        eventually(lambda: send("LED STATUS") == "OK LED OFF")
        assert time.monotonic() > sent + ms / 1000
        time.sleep(0.02)  # more than a tick of the kernel, to which a command's time is known
    assert lit > 3 and out > 3, (lit, out)


@test("wrong definitions of LEDs: one clear line and exit status 2")
def wrong_definitions(w):
    name = "a name is a small letter and up to 15 small letters, digits and hyphens, and no word of the protocol"
    twice = "another LED has this name; one without a name is called led"
    for led, why in [
        ("Kitchen=log", f"LED=Kitchen=log: {name}"),
        ("all=log", f"LED=all=log: {name}"),
        ("a=log b=log a=log", f"LED=a=log: {twice}"),
        ("log led=log", f"LED=led=log: {twice}"),
        ("a=log,pulse=x", "LED=a=log,pulse=x: pulse= takes 1 to 3600000 milliseconds"),
        ("a=log,initial=x", "LED=a=log,initial=x: initial is off, on or last"),
        ("a=lgo", "LED=a=lgo: an LED is gpio:LINE, gpio:CHIP/OFFSET, leds:NAME or log"),
        (" ".join(f"l{i}=log" for i in range(33)), "LED=l32=log: too many LEDs: there may be 32"),
    ]:
        p = w.spawn(LED_LINE, env={"LED": led})
        assert p.wait(20) == 2 and p.output().strip() == f"led-line: {why}", p.output()
