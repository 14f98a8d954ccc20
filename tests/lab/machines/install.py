# SPDX-License-Identifier: MIT
"""Machines on which led-socket is installed as README.md says."""

import re
import subprocess
import tempfile
from pathlib import Path

from machines.common import SOURCE, build
from machines.container import Container
from machines.qemu import VM, Pi3

SOURCES = "meson.build meson_options.txt src hal units xinetd man tests".split()


def readme(title):
    """The commands of a section of README.md."""
    text = (SOURCE / "README.md").read_text()
    section = re.search(rf"^#+ {title}$(.*?)(?:^#|\Z)", text, re.M | re.S)[1]
    return re.findall(r"^    (.*)$", section, re.M)


def packages(suite, arch):
    """The packages of this checkout, without those for debuggers."""
    files = sorted(build("packages", suite, arch).glob("*.deb"))
    return [file for file in files if "-dbgsym" not in file.name]


def copy(files, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        subprocess.run(["cp", "-r", file, folder], check=True)


def bring(root, suite):
    """Copies the packages to the machine, as if downloaded, and a next version of them."""
    files = packages(suite, "amd64")
    copy(files, root / "usr/src/packages")
    next_version(files, root / "usr/src/next")


def next_version(files, folder):
    """Makes the same packages with a higher version, changed units and changed settings."""
    folder.mkdir(parents=True)
    for file in files:
        with tempfile.TemporaryDirectory() as tree:
            subprocess.run(["dpkg-deb", "-R", file, tree], check=True)
            for path in Path(tree).rglob("*"):
                if path.parent.name in ("system", "default") and path.is_file():
                    path.write_text(path.read_text() + "# next\n")
            control = Path(tree) / "DEBIAN/control"
            control.write_text(re.sub(r"(Version: .*)", r"\1+next", control.read_text()))
            subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, folder],
                           stdout=subprocess.DEVNULL, check=True)


def install(suite):
    """Installs led-socket in a container as README.md says. Returns its layers, top first."""
    tree = build("tree", suite)
    pi = Container(tree)
    bring(pi.root, suite)
    for command in readme("Install"):
        pi(f"cd /usr/src/packages && {command}", 300)
    # And the programs with an attacker inside: tests/lab/guest/attack.c
    copy([SOURCE / name for name in SOURCES], pi.root / "usr/src/led-socket")
    pi("cd /usr/src/led-socket && meson setup attack -Dattack=true -Dtests=false &&"
       " ninja -C attack", 300)
    pi.off()
    subprocess.run(["umount", pi.root], check=True)
    return [pi.layer.upper, tree]


def install_arm64():
    """Unpacks the packages for the board, which is too slow to install them itself."""
    installed = Path(tempfile.mkdtemp(prefix="led-arm64."))
    for package in packages("trixie", "arm64"):
        subprocess.run(["dpkg-deb", "-x", package, installed], check=True)
    # Their installation would have enabled the button.
    wants = installed / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants / "button.service").symlink_to("/usr/lib/systemd/system/button.service")
    return installed


INSTALLED = {}


def installed(kind, suite):
    """The layers that a kind of machine is made of, the installation on top."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    key = "pi3" if kind == "pi3" else suite
    if key not in INSTALLED:
        INSTALLED[key] = [install_arm64()] if kind == "pi3" else install(suite)
    return INSTALLED[key]


def start_machine(kind, suite, **options):
    """Starts a machine of a kind, with led-socket installed."""
    return {"container": Container, "vm": VM, "pi3": Pi3}[kind](*installed(kind, suite), **options)
