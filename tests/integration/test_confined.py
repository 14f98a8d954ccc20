# SPDX-License-Identifier: MIT
"""What a program cannot do any more that somebody has taken over, and what it still can."""

import ctypes
import os
import platform
import socket
import struct
from pathlib import Path

from takeover import Takeover
from world import (
    BUTTON,
    LED_LINE,
    LED_MQTT,
    LED_WEB,
    MS_BIND,
    PORT,
    SLOW,
    WARNING,
    Skip,
    ask,
    eventually,
    libc,
    mount,
    test,
    unmount,
)

# Where the broker would be. Nobody is there.
BROKER_PORT = 18830
BROKER = f"mqtt://127.0.0.1:{BROKER_PORT}"
PROT_WRITE, PROT_EXEC, ANONYMOUS = 2, 4, 0x22
AF_INET, AF_ALG, CLONE_NEWUSER = 2, 38, 0x10000000
LANDLOCK_CREATE_RULESET = 444
PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 4, 38, 22


def start(w, program, **kwargs):
    """One of the long-lived programs, under a service manager."""
    options = {
        LED_LINE: ["--led=log", f"--listen={w.dir}/line.sock"],
        BUTTON: [f"--button=fifo:{w.dir}/press", f"--connect=127.0.0.1:{PORT}"],
        LED_MQTT: [f"--broker={BROKER}", "--host=pi", f"--listen={w.dir}/mqtt.sock"],
        LED_WEB: [f"--line={w.dir}/line.sock", f"--listen={w.dir}/web.sock"],
    }
    return w.notified(program, *options[program], **kwargs)


def need_filter(process):
    """Sanitizers and valgrind run without."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    if "Seccomp:\t0" in status and SLOW:
        raise Skip("this build is not confined")


def has_landlock():
    """Whether the kernel has Landlock's rights for TCP: from Linux 6.7 on."""
    return libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, 1) >= 4


def cannot(process, connects=True):
    """What a program that has been taken over tries in vain."""
    need_filter(process)
    with Takeover(process.pid) as call:
        assert call("getpid") == process.pid
        page = call("mmap", 0, 4096, PROT_WRITE, ANONYMOUS, -1, 0)
        assert isinstance(page, int), page
        tried = {
            "map code": call("mmap", 0, 4096, PROT_EXEC, ANONYMOUS, -1, 0),
            "make code": call("mprotect", page, 4096, PROT_EXEC),
            "write another's memory": call("process_vm_writev", os.getpid(), 0, 0, 0, 0, 0),
            "trace": call("ptrace", 16, os.getpid(), 0, 0),
            "signal": call("kill", os.getpid(), 0),
            "a namespace": call("unshare", CLONE_NEWUSER),
            "userfaultfd": call("userfaultfd", 0),
            "keys": call("keyctl", 0, 0, 0, 0, 0),
            "fork": call("clone", 17, 0, 0, 0, 0),
            "a program": call("execve", 0, 0, 0),
            "be traced": call("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0),
        }
        assert set(tried.values()) <= {"EPERM", "ENOSYS"}, tried
        assert call("socket", AF_ALG, 5, 0) == "EAFNOSUPPORT"
        s = call("socket", AF_INET, 1, 0)
        assert s > 0
        with open(f"/proc/{process.pid}/mem", "r+b", buffering=0) as memory:
            memory.seek(page)
            memory.write(struct.pack("=HH4s8x", AF_INET, socket.htons(BROKER_PORT), socket.inet_aton("127.0.0.1")))
        assert call("connect", s, page, 16) == ("ECONNREFUSED" if connects else "EACCES")
    assert process.poll() is None


@test("led-line, taken over, makes no code and reaches no other process, and goes on")
def taken_line(w):
    cannot(start(w, LED_LINE))
    assert ask(b"LED ON\n", w.dir / "line.sock") == b"OK LED ON\n"


@test("button, taken over, makes no code and reaches no other process, and goes on")
def taken_button(w):
    w.line(listen=[PORT])
    cannot(start(w, BUTTON))
    w.press()
    eventually(lambda: w.statuses() == ["On"])


@test("led-mqtt, taken over, makes no code and reaches no other process, and goes on")
def taken_mqtt(w):
    cannot(start(w, LED_MQTT))
    assert ask(b"LED STATUS\n", w.dir / "mqtt.sock").startswith(b"ERR ")


@test("led-web, taken over, makes no code and reaches no other process, and goes on")
def taken_web(w):
    w.line()
    cannot(start(w, LED_WEB), connects=not has_landlock())
    answer = ask(b"POST /leds/led HTTP/1.0\r\nContent-Length: 2\r\n\r\nON", w.dir / "web.sock")
    assert answer.endswith(b"\r\n\r\nON"), answer


def without_filters():
    """A kernel that has none: another filter refuses to set one. Runs in the child."""
    instruction = lambda *fields: struct.pack("HBBI", *fields)
    number = {"x86_64": 157, "aarch64": 167}[platform.machine()]
    code = b"".join([
        instruction(0x20, 0, 0, 0),
        instruction(0x15, 0, 3, number),
        instruction(0x20, 0, 0, 16),
        instruction(0x15, 0, 1, PR_SET_SECCOMP),
        instruction(0x06, 0, 0, 0x00050000 | 22),  # EINVAL
        instruction(0x06, 0, 0, 0x7FFF0000),
    ])  # fmt: skip
    buffer = ctypes.create_string_buffer(code, len(code))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 6, ctypes.addressof(buffer)))
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(PR_SET_SECCOMP, 2, program) != 0:
        os._exit(77)


@test("without filters of system calls, led-line, button, led-mqtt and led-web run, and warn once")
def warned(w):
    if SLOW:
        raise Skip("this build is not confined")
    if platform.machine() not in ("x86_64", "aarch64"):
        raise Skip(f"no number known of prctl() on {platform.machine()}")
    why = "runs without a filter of system calls, see seccomp(2): Invalid argument"
    for program in (LED_LINE, BUTTON, LED_MQTT, LED_WEB):
        process = start(w, program, preexec_fn=without_filters)
        assert w.log(Path(program).name, WARNING).count(why) == 1, w.log()
        process.stop()


@test("what looks up names is loaded before the confinement, and works after it")
def names(w):
    module = "libnss_hesiod.so.2"
    ours = w.dir / "nsswitch.conf"
    ours.write_text("passwd: files\nhosts: hesiod [NOTFOUND=continue] files\n")
    theirs = Path("/etc/nsswitch.conf")
    if not theirs.exists():
        raise Skip("there is no nsswitch.conf")
    mount(str(ours), theirs.resolve(), flags=MS_BIND)
    w.at_end(lambda: unmount(theirs.resolve()))
    w.line(listen=[PORT])
    button = w.button(f"--connect=localhost:{PORT}")
    need_filter(button)
    assert module in Path(f"/proc/{button.pid}/maps").read_text()
    w.press()
    eventually(lambda: w.statuses() == ["On"])
