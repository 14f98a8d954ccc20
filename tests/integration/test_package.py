# SPDX-License-Identifier: MIT
"""The apt repository that tests/package makes: its signature, its bytes, and what apt says of it."""

import os
import re
import subprocess

from world import SOURCE, need_program, test

FIRST, SECOND = 1790000000, 1790086400  # when versions were made


class Repository:
    """A folder as tests/package leaves it, with packages that have nothing in them."""

    def __init__(self, w):
        need_program("apt-ftparchive")
        self.w, self.root = w, w.dir / "repository"
        self.pool = self.root / "pool/bookworm"
        self.pool.mkdir(parents=True)
        self.env = {**os.environ, "HOME": str(w.dir), "GNUPGHOME": str(w.dir / "gnupg"),
                    "XDG_DATA_HOME": str(w.dir / "data"), "LC_ALL": "C"}
        (w.dir / "gnupg").mkdir(mode=0o700)
        (w.dir / "sources.list.d").mkdir()
        for folder in "state/lists/partial", "cache/archives/partial":
            (w.dir / folder).mkdir(parents=True)
        w.at_end(lambda: self.run("gpgconf", "--kill", "all"))

    def run(self, *command, **more):
        return subprocess.run(command, env={**self.env, **more}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)

    def package(self, name, version, arch):
        tree = self.w.dir / "tree"
        (tree / "DEBIAN").mkdir(parents=True, exist_ok=True)
        (tree / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: {arch}\nMaintainer: A <a@b>\n"
            "Description: nothing\n")
        run = self.run("dpkg-deb", "--root-owner-group", "-b", tree,
                       self.pool / f"{name}_{version}_{arch}.deb")
        assert run.returncode == 0, run.stdout

    def make(self, *options, time=FIRST):
        return self.run(SOURCE / "tests/lib/repository", *options, self.root,
                        SOURCE_DATE_EPOCH=str(time))

    def made(self, *options, time=FIRST):
        run = self.make(*options, time=time)
        assert run.returncode == 0, run.stdout
        return run.stdout

    def apt(self, *words):
        """apt-get or apt-cache as on a machine of bookworm that has typed install.txt's lines."""
        options = {"Dir::Etc::sourcelist": "/dev/null",
                   "Dir::Etc::sourceparts": self.w.dir / "sources.list.d",
                   "Dir::State": self.w.dir / "state", "Dir::Cache": self.w.dir / "cache",
                   "Dir::State::status": "/dev/null", "APT::Architecture": "amd64",
                   "APT::Architectures": "amd64", "APT::Sandbox::User": "root"}
        return self.run(words[0], *(f"-o{name}={value}" for name, value in options.items()), *words[1:])

    def typed(self):
        """Types the lines that lead apt to the repository."""
        lines = (self.root / "install.txt").read_text()
        before = lines.partition("apt update\n")[0].replace("/etc/apt", str(self.w.dir))
        run = self.run("sh", "-c", re.sub(r"\$\(.*?\)", "bookworm", before))
        assert run.returncode == 0 and not run.stdout, run.stdout

    def update(self):
        run = self.apt("apt-get", "update", "--error-on=any")
        return run.returncode == 0, run.stdout

    def versions(self):
        text = self.apt("apt-cache", "madison", "led-socket").stdout
        return re.findall(r"\| +(\S+) +\|", text)

    def files(self):
        return {path.relative_to(self.root): path.read_bytes()
                for path in self.root.rglob("*") if path.is_file()}


def with_packages(w):
    r = Repository(w)
    for name, arch in ("led-socket", "amd64"), ("led-socket", "arm64"), ("led-tls", "all"):
        r.package(name, "1+deb12", arch)
    return r


@test("repository: apt takes the first version, and a second beside it", quick=False, takes=20)
def versions(w):
    r = with_packages(w)
    r.made()
    r.typed()
    assert r.update()[0]
    assert r.versions() == ["1+deb12"]
    release = (r.root / "dists/bookworm/InRelease").read_text()
    assert "\nArchitectures: amd64 arm64\n" in release
    assert "\nDate: Mon, 21 Sep 2026 14:13:20 UTC\n" in release
    assert "led-tls_1+deb12_all.deb" in (r.root / "dists/bookworm/main/binary-arm64/Packages").read_text()

    r.package("led-socket", "2+deb12", "amd64")
    assert "Another" not in r.made(time=SECOND)  # signed with the same key
    assert r.update()[0]
    assert r.versions() == ["2+deb12", "1+deb12"]
    # And without the old one.
    (r.pool / "led-socket_1+deb12_amd64.deb").unlink()
    r.made(time=SECOND)
    assert r.update()[0]
    assert r.versions() == ["2+deb12"]


@test("repository: a change after signing, another key and no signature are refused", quick=False, takes=20)
def refused(w):
    r = with_packages(w)
    r.made()
    r.typed()
    release, packages = (r.root / "dists/bookworm" / name
                         for name in ("InRelease", "main/binary-amd64/Packages"))
    for path, old, new, says in [
        (packages, "Description: nothing", "Description: badness", ["Hash Sum mismatch"]),
        # gpgv's words, and Sequoia's
        (release, "Origin: led-socket", "Origin: led-hacked", ["BADSIG", "has been manipulated"]),
    ]:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        good, said = r.update()
        assert not good and any(words in said for words in says), said
        assert r.versions() == []
        path.write_text(text)
    # A repository of somebody else in its place.
    ours = (r.root / "led-socket.asc").read_text()
    (r.root / "led-socket.asc").unlink()
    r.made()
    assert (r.root / "led-socket.asc").read_text() != ours
    good, said = r.update()
    assert not good and ("NO_PUBKEY" in said or "Missing key" in said), said
    release.write_text(re.sub(r"-----BEGIN PGP SIGNATURE.*", "", release.read_text(), flags=re.S))
    assert not r.update()[0]
    assert r.versions() == []
    r.made()
    r.typed()
    assert r.update()[0] and r.versions() == ["1+deb12"]


@test("repository: the same bytes from the same packages, time and key", quick=False, takes=20)
def same_bytes(w):
    r = with_packages(w)
    r.made("--url=https://example.com/led")
    before = r.files()
    assert b"\nURIs: https://example.com/led\n" in before[next(p for p in before if p.name == "install.txt")]
    # Folders list their files in the order in which they were made.
    for path in sorted(r.pool.iterdir(), reverse=True):
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    r.made("--url=https://example.com/led")
    assert r.files() == before


@test("repository: the publisher's key signs, and its secret half stays where it is", quick=False, takes=20)
def publisher(w):
    r = with_packages(w)
    r.made()
    # It is younger than what it signs.
    made = r.run("gpg", "--batch", "--passphrase", "", "--quick-generate-key", "a@example.com", "rsa2048")
    assert made.returncode == 0, made.stdout
    assert "Another key than" in r.made("--key=a@example.com")
    r.typed()
    assert r.update()[0]
    # It signs from now on.
    before = (r.root / "led-socket.asc").read_text()
    assert "Another" not in r.made(time=SECOND)
    assert r.update()[0] and (r.root / "led-socket.asc").read_text() == before
    assert not any(b"PRIVATE KEY" in content for content in r.files().values())
    wrong = r.make("--key=b@example.com")
    assert wrong.returncode == 2
    assert wrong.stdout == "repository: --key=b@example.com: gpg has no such secret key\n"
    # Elsewhere there is no secret half of it.
    r.env["GNUPGHOME"] = str(w.dir / "data/led-socket/gnupg")
    wrong = r.make()
    assert wrong.returncode == 1
    assert wrong.stdout == ("repository: led-socket.asc: its secret half is not on this machine;"
                            " --key=KEY signs with another\n")


@test("tests/package: wrong words end with 2, and nothing is made", quick=False)
def wrong_words(w):
    r = Repository(w)
    full = w.dir / "full"
    full.mkdir()
    (full / "something").touch()
    new = w.dir / "new"
    addresses = "an address begins with http://, https:// or file:/"
    for words, said in [
        (["--sign", new], "--sign: no such option, or nothing in it"),
        (["--key=", new], "--key=: no such option, or nothing in it"),
        (["--key=nobody@example.com", new], "--key=nobody@example.com: gpg has no such secret key"),
        (["--url=pi", new], f"--url=pi: {addresses}"),
        (["--url=file:led", new], f"--url=file:led: {addresses}"),
        ([new, "i386"], "i386: packages are for amd64, arm64 and armhf"),
        ([full], f"{full}: neither empty nor made by package"),
        ([full / "something"], f"{full}/something: not a folder"),
    ]:
        run = r.run(SOURCE / "tests/package", *words)
        assert (run.returncode, run.stdout) == (2, f"package: {said}\n"), (words, run.stdout)
    run = r.run(SOURCE / "tests/package")
    assert run.returncode == 2 and "tests/package [--key=KEY] [--url=URL] FOLDER" in run.stdout
    assert not new.exists() and len(list(full.iterdir())) == 1
