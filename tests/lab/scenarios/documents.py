# SPDX-License-Identifier: MIT
"""Every block of README.md, of the documents and of the manuals' EXAMPLES does what it says."""

import re
import shlex
import sys

from machines.common import SOURCE, eventually
from scenarios import scenario
from scenarios.tls import MAKE, SSH_READY

sys.path.insert(0, str(SOURCE / "tests/lib"))
from manual import Manual

# Blocks that begin so are run by other tests, as they stand.
ELSEWHERE = {
    "tests/try": "newcomer",
    "tests/run": "newcomer, and whoever runs this",
    "apt update && apt install dpkg-dev": "newcomer, and it installs every machine of the lab",
    "git pull && rm": "newcomer",
    "tests/package": "tests/run package",
    "apt update\napt install led-socket": "packages: an apt repository",
    "apt update && apt upgrade": "the same",
    "apt remove 'led-*'": "packages: the whole life, and a button's machine",
    "apt install gcc": "built from source, as doc/install.md says",
    "git pull && units": "the same",
    "units/from-source": "the same",
    "dtoverlay=": "a Raspberry Pi's firmware reads these",
    "dtparam=": "the same",
    "modprobe ledtrig-timer": "vm: the recipe of a blinking LED",
    "import secrets": "the integration tests: a press in Python, C and Node.js",
    "#include": "the same",
    "const key": "the same",
    "<?xml": "the integration tests: the recipe for avahi",
    "user lamp": "mqtt: the manual's access list is enough",
    "systemd-run --unit=follow": "the recipe of a lamp that follows another",
    "systemd-run --unit=follow-front": "the recipe of a lamp that follows a contact",
    "(umask 77; ssh root@pi grep": "it takes two machines, as in scenarios/tls.py",
    "echo LED ON | ssh": "EXAMPLES of led-handler(8) is run",
}
# A line that begins so is run by the integration tests: there is no such program here.
ELSEWHERE_LINE = "tcpdump "
# What has to be so before a block that begins so, as the text around it says.
BEFORE = {
    "# systemctl disable --now led.socket led-line": "echo 0 >/run/button/press;"
    " until systemctl show -P StatusText button | grep -q OK; do sleep 0.1; done",
    "install -D -m 600 /dev/null /etc/led/mqtt.password": "echo MQTT_USER=lamp >/etc/default/led-mqtt",
    "# echo LED=log": "systemctl stop led.socket led-line.socket led-line button;"
    " rm /etc/default/led /etc/default/button",
    "groupadd --system gpio": "systemctl disable -q --now led.socket; systemctl stop led-line.socket"
    " button; for name in led-handler led-line gpio; do userdel $name; groupdel $name; done; :",
}
# What is run before each block whose words are in it.
NAMES = """echo 'LED="kitchen=log cellar=log"' >/etc/default/led; systemctl restart led-line"""
NEEDS = {
    "led kitchen": NAMES,
    "led -H pi kitchen": NAMES,
    "TLS_CONNECT": f"{MAKE}; systemctl start led-tls.socket",
    "button@front": "for name in front hall; do echo BUTTON=fifo:/run/button/$name/press"
    " >/etc/button/$name.conf; done",
    "--forget": "systemctl start mosquitto; echo MQTT_USER=lamp >/etc/default/led-mqtt;"
    " install -D -m 600 /dev/null /etc/led/mqtt.password; echo secret >/etc/led/mqtt.password",
    "curl http://pi:5557": "systemctl start led-web.socket; grep -q ' pi$' /etc/hosts || echo 127.0.0.1 pi >>/etc/hosts",
    "s_client": f"{MAKE}; systemctl start led-tls.socket",
    "authorized_keys": SSH_READY,
}
# What goes on until somebody ends it.
ENDLESS = ("journalctl -f", 'echo "LED WATCH"', "led -H pi watch", "mosquitto_sub")
# The units that read settings with these beginnings, and the files.
UNITS = {"BUTTON": ("button", "button"), "MQTT": ("led-mqtt", "led-mqtt"), "WEB": ("led-web", "led-web")}
# As systemd takes it from a file: a comment behind it would be a part of the value, and quotes may
# be over several lines.
SETTING = re.compile(r'([A-Z_]+)=("[^"]*"|[^\s"#]+)')
START_OF_SETTING = re.compile(r"^(?=[A-Z_]+=)", re.M)


def try_settings(pi, settings):
    """Each alone in the unit's file: the program runs with it, and has that value."""
    for line in settings:
        setting = SETTING.fullmatch(line)
        assert setting, f"not what systemd takes for a setting: {line}"
        name, value = setting[1], setting[2].strip('"')
        unit, file = UNITS.get(name.partition("_")[0], ("led-line", "led"))
        pi(f"echo {shlex.quote(line)} >/etc/default/{file}; systemctl restart {unit}")
        environment = pi(f"tr '\\0' '\\n' </proc/{pi.property(unit, 'MainPID')}/environ")
        assert f"\n{name}={value}\n" in f"\n{environment}\n", environment
        if unit == "led-line":
            kinds = pi("echo LED LIST KINDS | led-handler")
            assert kinds.startswith("OK ") and "?" not in kinds, kinds


def script(block):
    """What is typed at the prompts of a block, who types it, and what has to be printed."""
    typed, printed, users, edited = [], [], set(), None
    for line in block:
        prompt, _, command = line.partition(" ")
        if prompt in ("#", "$"):
            users.add("root" if prompt == "#" else "pi")
            typed.append(command)
            edited = command.startswith("systemctl edit ") and command.split()[-1]
            if edited:
                # What it leaves when its editor has been left.
                file = f"/etc/systemd/system/{edited}.d/override.conf"
                typed[-1] = f"install -D /dev/null {file}"
            elif command.endswith("&"):
                typed.append("sleep 1")  # as a person does, before the next line
        elif edited:
            typed.append(f"echo {shlex.quote(line)} >>{file}; systemctl daemon-reload")
        else:
            printed.append(re.sub(r"\\\[\d+\\\]", r"\\[[0-9]+\\]", re.escape(line)))
    assert len(users) == 1, "a block has one user"
    return users.pop(), typed, printed


def try_prompts(pi, block):
    user, typed, printed = script(block)
    waits = [
        f"until [ $(grep -cxP {shlex.quote(line)} /tmp/said) -ge {printed.count(line)} ];"
        " do sleep 0.1; done"
        for line in printed
    ]
    lines = "\n".join(["set -e", "exec >/tmp/said 2>&1", *typed, *waits, "kill $(jobs -p) || :"])
    pi("rm -f /tmp/said")
    try:
        pi(f"runuser -l {user} -s /bin/bash -c {shlex.quote(lines)}", 20)
    except AssertionError as why:
        raise AssertionError(f"{why}\n{pi.says('cat /tmp/said')}") from None


def try_commands(pi, block):
    lines = [line for line in block if not line.startswith(ELSEWHERE_LINE)]
    for i, line in enumerate(lines):
        if line.startswith(ENDLESS):
            lines[i] = f"timeout 1 sh -c {shlex.quote(line)} || [ $? = 124 ]"
    # Otherwise an answer with ERR would be as good as any.
    pi('set -e; curl() { command curl -fsS "$@"; }\n' + "\n".join(lines))


def try_block(pi, block):
    text = "\n".join(line for line in block if not line.startswith("#"))
    if START_OF_SETTING.match(text):
        try_settings(pi, [setting.strip() for setting in START_OF_SETTING.split(text) if setting])
    elif block[0].startswith(("# ", "$ ")):
        try_prompts(pi, block)
    else:
        try_commands(pi, block)


def try_blocks(pi, blocks):
    assert len(blocks) > 2, blocks
    pi.says("useradd --create-home pi")
    for block in blocks:
        if block.startswith(tuple(ELSEWHERE)):
            continue
        pi.afresh()
        pi("systemd-sysusers; systemctl start led.socket button.service")
        eventually(lambda: pi.ask("LED ON") == "OK LED ON")
        for beginning, commands in BEFORE.items():
            if block.startswith(beginning):
                pi(commands)
        for word, commands in NEEDS.items():
            if word in block:
                pi(commands)
        try:
            try_block(pi, block.splitlines())
        except AssertionError as why:
            raise AssertionError(f"{block}\n{why}") from None
    pi("systemd-sysusers")


def markdown_blocks(name):
    text = (SOURCE / name).read_text()
    blocks = re.findall(r"(?:^ {4}.*\n|^\n(?= {4}))+", text, re.M)
    return [re.sub("^ {4}", "", block, flags=re.M).strip() for block in blocks]


@scenario("container", "every block of README.md works unchanged")
def readme(pi):
    try_blocks(pi, markdown_blocks("README.md"))


@scenario("container", "every block of recipes.md works unchanged")
def recipes(pi):
    try_blocks(pi, markdown_blocks("doc/recipes.md"))


@scenario("container", "every block of install.md works unchanged")
def install(pi):
    try_blocks(pi, markdown_blocks("doc/install.md"))


@scenario("container", "every line of coming-from.md works")
def coming_from(pi):
    """The rows have two cells, and our lines are in the second."""
    text = (SOURCE / "doc/coming-from.md").read_text().replace("\\|", "/")
    rows = [row.split("|")[2] for row in re.findall(r"^\| (?!there|-).*", text, re.M)]
    lines = [line for row in rows for line in re.findall(r"`([^`]+)`", row)]
    assert len(lines) > 40, lines
    pi("grep -q broker /etc/hosts || echo 127.0.0.1 broker >>/etc/hosts")
    for line in lines:
        pi.afresh()
        pi("""echo 'LED="log pump=log"' >/etc/default/led; systemctl start led.socket button
              systemctl start mosquitto led-mqtt""")
        eventually(lambda: pi.ask("LED ON") == "OK LED ON")
        try:
            (try_settings if SETTING.fullmatch(line) else try_commands)(pi, [line])
        except AssertionError as why:
            raise AssertionError(f"{line}\n{why}") from None


@scenario("container", "every block of tutorial.pt.md works unchanged")
def tutorial(pi):
    try_blocks(pi, markdown_blocks("doc/tutorial.pt.md"))


@scenario("container", "every example of the manuals works unchanged")
def manuals(pi):
    parts = [part for page in sorted((SOURCE / "man").glob("*.[18]")) for part in Manual(page).parts]
    try_blocks(pi, [text for section, kind, text in parts if (section, kind) == ("EXAMPLES", "block")])
