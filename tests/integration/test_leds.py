# SPDX-License-Identifier: MIT
"""Several LEDs in one led-line, and pulses."""

import os
import random
import signal
import time

from test_line import fake_led, ms_ago, passed, tcp_listener, unix_listener
from world import ERR, LED_LINE, WARNING, ask, connect, eventually, test, test_for_each_server

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


@test_for_each_server("LED LIST KINDS says what each LED is")
def kinds(w, how):
    w.serve(how, led="log pump=log,kind=switch door=log,pulse=500 stairs=log,kind=light,pulse=180000")
    answer = b"OK LED LIST KINDS led=light pump=switch door=switch,pulse=500 stairs=light,pulse=180000\n"
    for command in b"LED LIST KINDS\n", b"led list  Kinds \r\n":
        assert ask(command) == answer, (command, ask(command))
    for command in b"LED LIST KIND\n", b"LED pump LIST KINDS\n", b"LED LIST KINDS KINDS\n":
        assert ask(command).startswith(b"ERR unknown command: send LED ON, "), command
    assert ask(b"LED LIST\n") == b"OK LED LIST led=OFF pump=OFF door=OFF stairs=OFF\n"


@test("LED ALL ON passes over momentary LEDs, LED ALL OFF reaches them")
def momentary(w):
    w.line(led="lamp=log pump=log,kind=switch door=log,pulse=3600000 stairs=log,pulse=3600000,kind=light")
    send = at_socket(w)
    assert send("LED ALL ON") == "OK LED ALL ON"
    assert send("LED LIST") == "OK LED LIST lamp=ON pump=ON door=OFF stairs=ON"
    for command in "ON", "TOGGLE", "TOGGLE", "PULSE 3600000":
        assert send(f"LED door {command}").startswith("OK LED door "), command
    assert send("LED LIST") == "OK LED LIST lamp=ON pump=ON door=ON stairs=ON"
    assert send("LED ALL OFF") == "OK LED ALL OFF"
    assert send("LED LIST") == "OK LED LIST lamp=OFF pump=OFF door=OFF stairs=OFF"


@test("where every LED is momentary, LED ALL ON is refused")
def all_momentary(w):
    w.line(led="door=log,pulse=3600000 gate=log,pulse=3600000,kind=switch")
    send = at_socket(w)
    assert send("LED ALL ON") == "ERR every LED here has pulse=: name one"
    assert send("LED gate ON") == "OK LED gate ON"
    assert send("LED ALL OFF") == "OK LED ALL OFF"
    assert send("LED LIST") == "OK LED LIST door=OFF gate=OFF"
    assert shown(w) == [("door", "Off"), ("gate", "Off"), ("gate", "On"), ("door", "Off"), ("gate", "Off")]


@test("another kind= and a restart change no LED")
def kind_over_restart(w):
    line = w.line(led="pump=log,initial=off door=log")
    send = at_socket(w)
    assert send("LED ALL ON") == "OK LED ALL ON"
    n = len(shown(w))
    line, store, send = restarted(w, line, "pump=log,kind=switch door=log,pulse=3600000", "again")
    assert send("LED LIST KINDS") == "OK LED LIST KINDS pump=switch door=switch,pulse=3600000"
    assert send("LED LIST") == "OK LED LIST pump=ON door=ON"
    assert ("pump", "Off") not in shown(w)[n:] and ("door", "Off") not in shown(w)[n:]


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


@test("what 0.1.0 to 0.4.1 stored under another name is found, and is stored under its own")
def old_names(w):
    first = w.line(led="a=leds:my_led")
    ((name, fd),) = first.manager.store()
    assert name == "state-a=leds_my%_led"
    first.stop()
    os.pwrite(fd, b"on\n\0", 0)  # all that 0.1.0 wrote
    os.ftruncate(fd, 3)
    fake_led(w, "my_led")
    for number, stored in enumerate(["state-a=leds_my_led", "state-a=leds_my%_led"]):
        listener = unix_listener(w, w.dir / f"{number}.sock")
        line = passed(w, [(stored, fd), ("x.socket", listener.fileno())], "--led=a=leds:my_led")
        assert ask(b"LED a STATUS\n", w.dir / f"{number}.sock") == b"OK LED a ON\n"
        assert [n for n, _ in line.manager.store([(stored, fd)])] == [name]
        assert os.path.sameopenfile(line.manager.store([(stored, fd)])[0][1], fd)
        line.kill()
        line.wait()


@test("an LED that 0.4 stored under the same name does not get what is another's")
def similar_specs(w):
    line = w.line("--initial=on", led="gpio:/dev/relay:1/3")
    again, store, send = restarted(w, line, "gpio:/dev/relay_1/3", "again")
    assert len(store) == 1 and not set(store) & set(again.manager.store(store)), store
    assert len(again.manager.store(store)) == 1


@test("initial= for each LED, and one state file for all with initial=last")
def initial(w):
    led = "log a=log,initial=on b=log,initial=last c=log,initial=off d=log,initial=last,pulse=3600000,kind=light"
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
        assert send(f"LED {name} PULSE 2000") == f"OK LED {name} ON"
    assert send("LED b ON") == "OK LED b ON"
    assert send("LED c TOGGLE") == "OK LED c OFF"
    assert send("LED d PULSE 3600000") == "OK LED d ON"
    # An older command that is late changes nothing.
    assert send(f"LED e OFF @{ms_ago(2000)}") == "OK LED e ON"
    assert send("LED LIST") == "OK LED LIST a=ON b=ON c=OFF d=ON e=ON" or time.monotonic() > begin + 2
    eventually(lambda: send("LED LIST") == "OK LED LIST a=OFF b=ON c=OFF d=ON e=OFF")
    assert time.monotonic() >= begin + 2
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


@test("a pulse ends on time over kill -9 at any moment", quick=False, takes=50)
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


NAME = "a name is a small letter and up to 15 small letters, digits and hyphens, and no word of the protocol"
TWICE = "another LED has this name; one without a name is called led"
SPEC = "an LED is gpio:LINE, gpio:CHIP/OFFSET, leds:NAME or log"
MANY = "too many LEDs: there may be 32"
SEE_LOG = "ERR a setting is wrong: see the log"


def wrong(w):
    """What the log says of wrong settings."""
    said = [text for text in w.log("led-line", ERR) if text.startswith("a setting is wrong: ")]
    return [text.removeprefix("a setting is wrong: ") for text in said]


@test("wrong definitions of LEDs as options: one clear line and exit status 2")
def wrong_definitions(w):
    for led, why in [
        ("Kitchen=log", f"Kitchen=log: {NAME}"),
        ("all=log", f"all=log: {NAME}"),
        ("a=log b=log a=log", f"a=log: {TWICE}"),
        ("log led=log", f"led=log: {TWICE}"),
        ("a=log,pulse=x", "a=log,pulse=x: pulse= takes 1 to 3600000 milliseconds"),
        ("a=log,initial=x", "a=log,initial=x: initial is off, on or last"),
        ("a=log,kind=lamp", "a=log,kind=lamp: kind is light or switch"),
        ("a=lgo", f"a=lgo: {SPEC}"),
        (" ".join(f"l{i}=log" for i in range(33)), f"l32=log: {MANY}"),
    ]:
        p = w.spawn(LED_LINE, *(f"--led={spec}" for spec in led.split()))
        assert p.wait(20) == 2 and p.output().strip() == f"led-line: --led={why}", p.output()


@test("a wrong setting is an answer, and the other LEDs work")
def wrong_setting(w):
    listener = unix_listener(w, w.dir / "line.sock")
    line = passed(
        w, {"x.socket": listener.fileno()},
        env={"LED": "kitchen=gpio17 door=log Cellar=log door=leds:x", "LED_INITIAL": "lit", "LED_LISTEN": "x"},
    )
    send = at_socket(w)
    why = f"a setting is wrong: kitchen=gpio17: {SPEC}"
    for command in "ON", "OFF", "TOGGLE", "STATUS", "PULSE 10":
        assert send(f"LED kitchen {command}") == f"ERR {why}"
    assert send("LED door TOGGLE") == "OK LED door ON"
    assert send("LED LIST") == "OK LED LIST kitchen=ERR door=ON"
    assert send("LED LIST KINDS") == "OK LED LIST KINDS kitchen=? door=light ?"
    assert send("LED ALL OFF") == f"OK LED ALL OFF except kitchen: {why}"
    assert send("LED cellar ON") == "ERR no LED is called cellar; LED LIST names them"
    with connect(w.dir / "line.sock") as s:
        s.sendall(b"LED WATCH\n")
        lines = s.makefile()
        assert [next(lines), next(lines)] == [f"ERR kitchen: {why}\n", "OK LED door OFF\n"]
    errors = [
        f"LED=kitchen=gpio17: {SPEC}",
        f"LED=Cellar=log: {NAME}",
        f"LED=door=leds:x: {TWICE}",
        "LED_INITIAL=lit: initial is off, on or last",
    ]
    assert wrong(w) == errors
    eventually(lambda: line.manager.status().endswith("LED door is off"))
    for error in errors:
        assert f"a setting is wrong: {error}; " in line.manager.status(), line.manager.status()
    assert [name for name, _ in line.manager.store()] == ["state-door=log"]


@test("LED LIST KINDS has ? for an LED that is wrong, and at the end where one is left out")
def uncertain_kinds(w):
    for number, (led, answer) in enumerate([
        ("a=log b=log,kind=lamp c=log", "a=light b=? c=light"),
        ("a=log b=gpio17,pulse=500", "a=light b=?"),
        ("a=log b=log ,kind=switch", "a=light b=?"),
        ("a=log # the lamp", "a=?"),
        ("a=log B=log,pulse=5", "a=light ?"),
        ("a=log,pulse=5 a=log", "a=switch,pulse=5 ?"),
        ('"a=log b=log', "b=light ?"),
        ('kitchen=log" door=log', "kitchen=? door=light"),
        ('a=log b=log" c=log', "a=? b=? c=light"),
        ('log "a=log b=log', "led=? b=light ?"),
        (" ".join(f"l{i}=log" for i in range(33)), " ".join(f"l{i}=light" for i in range(32)) + " ?"),
    ]):
        path = w.dir / f"{number}.sock"
        passed(w, {"x.socket": unix_listener(w, path).fileno()}, env={"LED": led})
        assert ask(b"LED LIST KINDS\n", path).decode() == f"OK LED LIST KINDS {answer}\n", led
    path = w.dir / "none.sock"
    passed(w, {"x.socket": unix_listener(w, path).fileno()}, env={"LED": "A=log"})
    assert ask(b"LED LIST KINDS\n", path).decode() == f"{SEE_LOG}\n"
    # What is wrong with other settings is no matter of the LEDs.
    path = w.dir / "other.sock"
    passed(w, {"x.socket": unix_listener(w, path).fileno()}, env={"LED": "a=log", "LED_INITIAL": "lit"})
    assert ask(b"LED LIST KINDS\n", path) == b"OK LED LIST KINDS a=light\n"


@test("a wrong setting without a passed socket: the environment's is an answer")
def wrong_environment(w):
    w.notified(LED_LINE, f"--listen={w.dir}/line.sock", env={"LED": "x", "LED_INITIAL": "x", "LED_ALLOW": "x"})
    assert at_socket(w)("LED ON") == f"ERR a setting is wrong: LED=x: {SPEC}"
    assert len(wrong(w)) == 3, wrong(w)


@test("much that is wrong hides nothing: the first of each setting is said, and the others are counted")
def much_wrong(w):
    env = {"LED": " ".join(f"a{i}=x" for i in range(60)), "LED_INITIAL": "lit", "LED_ALLOW": "x"}
    p = w.spawn(LED_LINE, env={**env, "LED_LISTEN": "pi"})
    assert p.wait(20) == 2 and p.output().startswith("led-line: LED_LISTEN=pi: "), p.output()
    passed(w, {"x.socket": unix_listener(w, w.dir / "line.sock").fileno()}, env=env)
    said = wrong(w)
    assert said[:48] == [f"LED=a{i}=x: {SPEC if i < 32 else MANY}" for i in range(48)], said
    assert [text.split("=")[0] for text in said[48:-1]] == ["LED_INITIAL", "LED_ALLOW"], said
    assert said[-1] == "and 12 more, which are not listed", said


@test("the status has whole reasons, as clients have them, and counts what it has no room for")
def long_status(w):
    line = w.line(led=f"a=leds:{'x' * 63} b=log")
    why = at_socket(w)("LED a ON").removeprefix("ERR ")
    assert len(why) > 90, why
    eventually(lambda: line.manager.status() == f"LED a: {why}, b is off")
    line.stop()
    path = w.dir / "wrong.sock"
    led = " ".join(f"a{i}=gpio:{'y' * 120},bad" for i in range(31))
    line = passed(w, {"x.socket": unix_listener(w, path).fileno()}, env={"LED": f"{led} lamp=log"})
    said = wrong(w)
    eventually(lambda: line.manager.status().endswith("; LED lamp is off"))
    *shown, rest, _ = line.manager.status().split("; ")
    assert len(said) == 31 and shown == [f"a setting is wrong: {text}" for text in said[: len(shown)]], shown
    assert rest == f"and {31 - len(shown)} more", rest


@test("with a passed socket, a wrong option is an answer, too, and an unknown one")
def wrong_option(w):
    for number, (options, answer, error) in enumerate([
        (["--led=x"], f"ERR a setting is wrong: LED=x: {SPEC}", f"--led=x: {SPEC}"),
        (["--led=log", "--lead=x"], "OK LED ON", "unrecognized option '--lead=x'"),
        (["--led=log", "x"], "OK LED ON", "unexpected argument 'x'"),
        (["--led"], SEE_LOG, "--led: no LED"),
        (["--led=log", "--allow=x"], "OK LED ON",
         "--allow=x: it is private, any, or prefixes such as 203.0.113.0/24"),
    ]):
        path = w.dir / f"{number}.sock"
        passed(w, {"x.socket": unix_listener(w, path).fileno()}, *options)
        assert ask(b"LED ON\n", path).decode() == answer + "\n", options
        assert wrong(w)[-1].startswith(error), wrong(w)
    path = w.dir / "listen.sock"
    passed(w, {"x.socket": unix_listener(w, path).fileno()}, "--led=log", "--listen=x")
    assert ask(b"LED ON\n", path) == b"OK LED ON\n"
    assert not any("--listen" in error for error in wrong(w))


@test("words that are no LED make the one before them wrong, and it is not touched")
def words(w):
    blank = "no blank may stand before a comma"
    comment = "no comment may stand after a value; or is a quote not closed?"
    quote = "is a quote not closed, or one too many?"
    gpio = "after an LED's GPIO line there may be active-low or active-high, open-drain or " \
        "open-source, pull-up or pull-down, initial=, pulse= and kind="
    after = "after an LED, of the words with = there may be initial=, pulse= and kind="
    for number, (led, answer, errors) in enumerate([
        ("log # the lamp", f"LED=log #: {comment}", [f"LED=#: {comment}"]),
        ("gpio:GPIO17 ,active-low", f"LED=gpio:GPIO17 ,active-low: {blank}", [f"LED=,active-low: {blank}"]),
        ("log\nLED_INITIAL=on\n", f"LED=log LED_INITIAL=on: {quote}", [f"LED=LED_INITIAL=on: {quote}"]),
        ('log "a=log', f'LED=log "a=log: {quote}', [f'LED="a=log: {quote}']),
        ("gpio:GPIO17,puls=500", f"LED=gpio:GPIO17,puls=500: {after}", [f"LED=gpio:GPIO17,puls=500: {after}"]),
        ("log,puls=500", f"LED=log,puls=500: {after}", [f"LED=log,puls=500: {after}"]),
        ("gpio:GPIO17,active", f"LED=gpio:GPIO17,active: {gpio}", [f"LED=gpio:GPIO17,active: {gpio}"]),
    ]):
        path, before = w.dir / f"{number}.sock", len(wrong(w))
        passed(w, {"x.socket": unix_listener(w, path).fileno()}, env={"LED": led})
        assert ask(b"LED ON\n", path).decode() == f"ERR a setting is wrong: {answer}\n", led
        assert wrong(w)[before:] == errors, wrong(w)[before:]
    assert shown(w) == []


@test("where no LED is left, each command is refused")
def no_led_left(w):
    for number, led in enumerate([" ", "Kitchen=log", ",active-low", "# log"]):
        path = w.dir / f"{number}.sock"
        line = passed(w, {"x.socket": unix_listener(w, path).fileno()}, env={"LED": led})
        for command in "ON", "LIST", "ALL OFF", "WATCH", "kitchen ON", "kitchen WATCH":
            assert ask(f"LED {command}\n".encode(), path).decode() == SEE_LOG + "\n", (led, command)
        assert wrong(w)[-1].endswith(": no LED"), wrong(w)
        eventually(lambda: line.manager.status().endswith(": no LED"))


@test("with a wrong LED_ALLOW nobody may connect over the network")
def wrong_allow(w):
    fds = {"a.socket": unix_listener(w, w.dir / "line.sock"), "b.socket": tcp_listener(w)}
    passed(w, {n: s.fileno() for n, s in fds.items()}, "--led=log", env={"LED_ALLOW": "any 10.0.0.0/33"})
    assert ask(b"LED ON\n").decode() == SEE_LOG + "\n"
    assert at_socket(w)("LED STATUS") == "OK LED OFF"
    assert len(wrong(w)) == 1 and wrong(w)[0].startswith("LED_ALLOW=any 10.0.0.0/33: "), wrong(w)


@test("a message of a wrong setting is one line of at most 200 characters, without a password")
def wrong_message(w):
    led = f"a-long-name-for1={'x' * 300}\x1b b=mqtt://me:s3cret@host"
    passed(w, {"x.socket": unix_listener(w, w.dir / "line.sock").fileno()}, env={"LED": led})
    send = at_socket(w)
    answer = send("LED a-long-name-for1 ON")
    assert answer.startswith("ERR a setting is wrong: a-long-name-for1=xxx") and len(answer) <= 200, answer
    assert answer.endswith("...: too long"), answer
    assert send("LED b ON") == f"ERR a setting is wrong: b: {SPEC}"
    with connect(w.dir / "line.sock") as s:
        s.sendall(b"LED WATCH\n")
        assert len(next(s.makefile())) <= 201
    assert max(len(f"a setting is wrong: {text}") for text in wrong(w)) <= 200, wrong(w)
    assert not any("s3cret" in text for text in w.log()), w.log()


@test("a typo and a restart change no line and no state, except where another LED needs the line")
def typo(w):
    env = {"STATE_DIRECTORY": w.dir}
    led = "kitchen=log,initial=last door=log,initial=last lamp=log,initial=last"
    first = w.line(led=led, env=env)
    send = at_socket(w)
    assert send("LED ALL ON") == "OK LED ALL ON"
    first.stop()
    assert (w.dir / "last").read_text() == "kitchen on\ndoor on\nlamp on\n"
    store = first.manager.store()
    r, wr = os.pipe()
    for name in "line-kitchen=gpio_GPIO17", "line-door=gpio_GPIO18,active-low", "line-gpio_GPIO19":
        store.append((name, r))
    wrong_led = "kitchen=lgo door=log,initial=last Lamp=log new=gpio:GPIO18,pulse=5"
    listener = unix_listener(w, w.dir / "again.sock")
    again = passed(w, [*store, ("x.socket", listener.fileno())], env={**env, "LED": wrong_led})
    assert ask(b"LED LIST\n", w.dir / "again.sock") == b"OK LED LIST kitchen=ERR door=ON new=ERR\n"
    assert ask(b"LED door OFF\n", w.dir / "again.sock") == b"OK LED door OFF\n"
    again.stop()
    left = again.manager.store(store)
    assert sorted(name for name, _ in left) == [
        "line-gpio_GPIO19", "line-kitchen=gpio_GPIO17", "state-door=log", "state-kitchen=log",
        "state-lamp=log", "state-new=gpio_GPIO18",
    ], left
    assert sorted((w.dir / "last").read_text().splitlines()) == ["door off", "kitchen on", "lamp on"]
    # All right again: what is no LED's goes.
    listener = unix_listener(w, w.dir / "third.sock")
    third = passed(w, [*left, ("x.socket", listener.fileno())], env={**env, "LED": led})
    assert ask(b"LED LIST\n", w.dir / "third.sock") == b"OK LED LIST kitchen=ON door=OFF lamp=ON\n"
    assert sorted(name for name, _ in third.manager.store(left)) == [
        "state-door=log", "state-kitchen=log", "state-lamp=log",
    ]
    third.stop()
    assert (w.dir / "last").read_text() == "kitchen on\ndoor off\nlamp on\n"
    os.close(r)
    os.close(wr)


for how in "inetd", "xinetd":

    @test(f"a wrong setting is an answer, and led-line is started once ({how})")
    def wrong_under_inetd(w, how=how):
        w.serve(how, led="kitchen=gpio17 door=log")
        for _ in range(3):
            assert ask(b"LED kitchen ON\n").decode() == f"ERR a setting is wrong: kitchen=gpio17: {SPEC}\n"
        assert ask(b"LED door ON\n") == b"OK LED door ON\n"
        assert len(wrong(w)) == 1, wrong(w)
