# SPDX-License-Identifier: MIT
"""Machines on which led-socket is installed as README.md says."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

from machines.common import SOURCE, build
from machines.container import Container
from machines.qemu import VM, Pi3

# Where the packages are as if they had been built there.
CHECKOUT = "usr/src/packages/led-socket"
SOURCES = "meson.build meson_options.txt completion src hal units xinetd man tests".split()


DOCUMENTS = "README.md", "doc/install.md", "doc/recipes.md"


def section(title):
    """The commands of a section of README.md, or of what it leads to."""
    text = "\n# \n".join((SOURCE / name).read_text() for name in DOCUMENTS)
    found = re.search(rf"^#+ {title}$(.*?)(?:^#|\Z)", text, re.M | re.S)[1]
    return re.findall(r"^    (.*)$", found, re.M)


def install_commands():
    """Those of README.md that install packages, for a folder beside them."""
    return [command for command in section("Get it") if command.startswith("apt install ../")]


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
    (root / CHECKOUT).mkdir()
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


def publish(folder, suite, files, key="key", url=""):
    """Makes a folder an apt repository, as tests/package does, of the packages that are in it already
    and of these. key: the name of a key, which the first use makes."""
    copy(files, folder / "pool" / suite)
    keys = Path(tempfile.gettempdir()) / f"{key}.led"
    said = subprocess.run(
        [SOURCE / "tests/lib/repository", *([f"--url={url}"] if url else []), folder],
        env={**os.environ, "XDG_DATA_HOME": str(keys), "SOURCE_DATE_EPOCH": str(int(time.time()))},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    assert said.returncode == 0, said.stdout


def install(suite, layer):
    """Installs led-socket in a container as README.md says, and leaves its layer in a folder."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    pi = Container(build("tree", suite))
    bring(pi.root, suite)
    for command in install_commands():
        pi(f"cd /{CHECKOUT} && {command}", 300)
    # And the programs with an attacker inside: tests/lab/guest/attack.c
    copy([SOURCE / name for name in SOURCES], pi.root / "usr/src/led-socket")
    pi("cd /usr/src/led-socket && meson setup attack -Dattack=true -Dtests=false &&"
       " ninja -C attack", 300)
    pi.off()
    subprocess.run(["umount", pi.root], check=True)
    subprocess.run(["mv", pi.layer.upper, layer], check=True)
    shutil.rmtree(pi.layer.folder)


def changed_after_signing(folder, suite):
    """Somebody puts another version into a repository, and has no key."""
    for packages in folder.glob(f"dists/{suite}/main/*/Packages"):
        packages.write_text(packages.read_text().replace("+next", "+evil"))


# What apt installs on the board.
ON_BOARD = "led-socket_", "led-client_", "led-button_"


def install_arm64():
    """Unpacks the packages for the board, which is too slow to install them itself."""
    installed = Path(tempfile.mkdtemp(prefix="led-arm64."))
    for package in packages("trixie", "arm64"):
        subprocess.run(["dpkg-deb", "-x", package, installed], check=True)
    # Their installation would have enabled the button.
    wants = installed / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants / "button.service").symlink_to("/usr/lib/systemd/system/button.service")
    # It cannot make these itself: an apt repository, the same after a next version, and one whose
    # packages have been changed since they were signed.
    files = [file for file in packages("trixie", "arm64") if file.name.startswith(ON_BOARD)]
    first, second, changed = (installed / "srv" / name for name in ("first", "second", "changed"))
    publish(first, "trixie", files, url="file:/srv/led-socket")
    next_version(files, installed / "srv/next")
    shutil.copytree(first, second)
    publish(second, "trixie", (installed / "srv/next").glob("*.deb"), url="file:/srv/led-socket")
    shutil.rmtree(installed / "srv/next")
    shutil.copytree(second, changed)
    changed_after_signing(changed, "trixie")
    return installed


@cache
def installed(kind, suite):
    """The layers that a kind of machine is made of, the installation on top."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    if kind == "pi3":
        return [install_arm64()]
    return [build("installed", suite) / "upper", build("tree", suite)]


def start_machine(kind, suite, **options):
    """Starts a machine of a kind, with led-socket installed."""
    return {"container": Container, "vm": VM, "pi3": Pi3}[kind](*installed(kind, suite), **options)


if __name__ == "__main__":
    install(sys.argv[1], sys.argv[2])
