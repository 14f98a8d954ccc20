# SPDX-License-Identifier: MIT
"""What led-tls does before stunnel starts: /etc/led/tls.keys, line by line."""

import re

from world import SOURCE, test

KEYS = SOURCE / "units/led-tls.keys"
KEY = "0123456789abcdef" * 2


def keys(w, content, mode=0o600):
    """Runs it as the units do. Returns its status, what it said, and the lines that stunnel gets."""
    credentials, runtime = w.dir / "credentials", w.dir / "runtime"
    for folder in (credentials, runtime):
        folder.mkdir(exist_ok=True)
    file, result = w.dir / "tls.keys", runtime / "tls.keys"
    file.write_bytes(content)
    file.chmod(mode)
    (credentials / "tls.keys").write_bytes(content)
    result.unlink(missing_ok=True)
    p = w.spawn(KEYS, file, wrap=False,
                env={"CREDENTIALS_DIRECTORY": str(credentials), "RUNTIME_DIRECTORY": str(runtime)})
    status = p.wait()
    if result.exists():
        assert result.stat().st_mode & 0o777 == 0o600
    return status, p.output(), result.read_text().splitlines() if result.exists() else []


@test("tls.keys: a wrong line is left out with its number, and the others work")
def wrong_lines(w):
    good = {
        f"door:{KEY}": f"door:{KEY}",
        f"door:{KEY.upper()}": f"door:{KEY.upper()}",
        f"door:{KEY}0": f"door:{KEY}0",
        f"door:{KEY}\r": f"door:{KEY}",
        f"  door:{KEY}\t ": f"door:{KEY}",
        f"my door:{KEY}": f"my door:{KEY}",
        "d" * 255 + f":{KEY}": "d" * 255 + f":{KEY}",
        "door:" + "0" * 1024: "door:" + "0" * 1024,
    }
    nothing = "", "   ", "\t\r", "# door", f"#door:{KEY}", f"  # door:{KEY}"
    wrong = ("door", "door:", f":{KEY}", f"door:{KEY[:-1]}", "door:correct horse battery staple, of 32",
             f"door:{KEY}g", f"door:{KEY[:16]} {KEY[16:]}", f"door: {KEY}", f"door:a:{KEY}",
             f"door={KEY}", "d" * 256 + f":{KEY}", "door:" + "0" * 1025, f"door:{KEY} # mine",
             "door:\u00e9" + KEY)
    for line, expected in good.items():
        assert keys(w, f"{line}\n".encode()) == (0, "", [expected]), line
        assert keys(w, line.encode()) == (0, "", [expected]), line  # no newline at its end
    for line in nothing:
        assert keys(w, f"{line}\na:{KEY}\n".encode()) == (0, "", [f"a:{KEY}"]), line
    for line in wrong:
        for before, after in ("", f"b:{KEY}\n"), (f"# x\n\na:{KEY}\n", ""), (f"a:{KEY}\n", f"b:{KEY}\n"):
            status, said, lines = keys(w, f"{before}{line}\n{after}".encode())
            assert status == 0 and lines == (before + after).replace("# x\n\n", "").splitlines(), line
            number = before.count("\n") + 1
            assert re.fullmatch(rf"<4>\S+/tls.keys: line {number} is left out: it is not NAME:KEY with"
                                r" 32 or more hexadecimal digits; openssl rand -hex 32 makes a KEY\n",
                                said), (line, said)


@test("tls.keys: each wrong line has its warning, and no warning has a key")
def warnings(w):
    status, said, lines = keys(w, f"door:secret\na:{KEY}\ngate secret\n\nsecret:{KEY}!\n".encode())
    assert (status, lines) == (0, [f"a:{KEY}"])
    assert re.findall(r"line (\d+)", said) == ["1", "3", "5"], said
    assert "secret" not in said and KEY not in said, said


@test("tls.keys: without a key, or readable by others, it is an error")
def none(w):
    for content in b"", b"\n", b"# door\n", b"door:short\n":
        status, said, _ = keys(w, content)
        assert status == 2, content
        assert re.search(r"^<3>\S+/tls.keys is missing or has no key$", said, re.M), said
    for mode in 0o640, 0o604, 0o660:
        status, said, lines = keys(w, f"door:{KEY}\n".encode(), mode)
        assert (status, lines) == (2, []) and re.fullmatch(
            r"<3>others can read (\S+/tls.keys): chmod 600 \1\n", said), said
