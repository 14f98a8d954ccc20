# SPDX-License-Identifier: MIT
"""What is in the documents and needs a program that the lab lacks."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from xml.etree import ElementTree

from world import MS_BIND, SOURCE, ask, eventually, mount, need_program, test, unmount


def recipe(name):
    """A file of doc/examples, which is also a block of doc/recipes.md."""
    text = (SOURCE / "doc/recipes.md").read_text()
    blocks = re.findall(r"(?:^ {4}.*\n|^\n(?= {4}))+", text, re.M)
    blocks = [re.sub("^ {4}", "", block, flags=re.M).strip() + "\n" for block in blocks]
    file = (SOURCE / "doc/examples" / name).read_text()
    assert file in blocks, f"doc/recipes.md does not have {name}"
    return file


def terminal():
    """A terminal for a program to write to, and a growing record of what it wrote."""
    ours, theirs = pty.openpty()
    seen = bytearray()

    def read():
        try:
            while True:
                seen.extend(os.read(ours, 65536))
        except OSError:
            os.close(ours)  # nobody has the other end open any more

    threading.Thread(target=read, daemon=True).start()
    return theirs, seen


@test("tcpdump as in the documents shows the command", quick=False)
def tcpdump(w):
    need_program("tcpdump")
    w.serve("line")
    lines = set()
    for document in (SOURCE / "README.md", *SOURCE.glob("doc/*.md"), *SOURCE.glob("man/*.[18]")):
        lines |= set(re.findall(r"^ *(tcpdump .*)$", document.read_text(), re.M))
    assert lines
    for line in lines:
        theirs, seen = terminal()
        p = w.spawn("bash", "-c", f"exec {line}", stdout=theirs)
        os.close(theirs)
        eventually(lambda: "listening on" in p.output())
        assert ask(b"LED ON\n") == b"OK LED ON\n"
        eventually(lambda: b"LED.ON" in seen)
        assert p.stop(signal.SIGINT) == 0


def presses(w, command):
    """A program that presses twice prints the server's answers."""
    hosts = w.dir / "hosts"
    hosts.write_text("127.0.0.1 localhost pi\n")
    mount(str(hosts), "/etc/hosts", flags=MS_BIND)
    w.at_end(lambda: unmount("/etc/hosts"))
    w.serve("line")
    for state in "ON", "OFF":
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=30).stdout
        assert answer == f"OK LED {state}\n", answer
    assert all("LED TOGGLE #" in line for line in w.log("led-line") if " sent " in line)


@test("recipe: a press in Python", quick=False)
def python_press(w):
    presses(w, [sys.executable, "-c", recipe("press.py")])


@test("recipe: a press in C", quick=False)
def c_press(w):
    source, program = w.dir / "press.c", w.dir / "press"
    source.write_text(recipe("press.c"))
    subprocess.run([need_program("gcc"), "-Wall", "-Wextra", "-Werror", source, "-o", program], check=True)
    # A key is a second and a process, so the presses are two.
    presses(w, [program])


@test("recipe: a press in Node.js", quick=False)
def node_press(w):
    presses(w, [need_program("node"), "-e", recipe("press.js")])


@test("recipe: avahi's service file says the port that led.socket listens on")
def avahi(w):
    group = ElementTree.fromstring(recipe("led.service"))
    service = group.find("service")
    assert group.tag == "service-group" and group.find("name").get("replace-wildcards") == "yes"
    assert [child.tag for child in service] == ["type", "port"]
    assert service.findtext("type") == "_led._tcp"
    listening = re.findall(r"^ListenStream=(.*)", (SOURCE / "units/led.socket").read_text(), re.M)
    assert [service.findtext("port")] == listening
