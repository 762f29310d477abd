"""Installs the tools into the project's own folder, from the locks: `python3 local/bootstrap.py dev cloud sam`.

`python3 local/bootstrap.py lock` renews the locks from pyproject.toml and shared/requirements.txt.

Runs on the machine's bare python3, so it uses the standard library only, and keeps to syntax that an old Python can
read as far as the line that refuses it.
"""

import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
UV_VERSION = "0.13.9"
OLDEST_PYTHON = (3, 11)
ENVIRONMENTS = {"dev": ROOT / ".venv", "cloud": TOOLS / "cloud", "sam": TOOLS / "sam", "bench": TOOLS / "bench"}
LOCKS = ROOT / "locks"
SOURCES = {"dev": ["shared/requirements.txt"], "cloud": [], "sam": [], "bench": []}


def main(groups):
    """Bring the named environments to the state of the lock; do nothing when they are there already."""
    refuse_an_old_python()
    if groups == ["lock"]:
        lock()
        return
    for group in groups:
        stamp = ENVIRONMENTS[group] / ".stamp"
        wanted = fingerprint(group)
        if stamp.is_file() and stamp.read_text() == wanted:
            continue
        say("installing the environment {} ({})".format(group, ENVIRONMENTS[group].relative_to(ROOT)))
        install_uv()
        sync(group)
        stamp.write_text(wanted)


def refuse_an_old_python():
    """Say in one line what to do when this interpreter is too old."""
    if sys.version_info < OLDEST_PYTHON:
        version = platform.python_version()
        stop(
            "{} is Python {}; Kartoteka needs 3.11 or newer: make ... PYTHON=/path/to/python3.13".format(
                sys.executable, version
            )
        )


def fingerprint(group):
    """What an environment depends on: the lock, the interpreter, the version of uv."""
    digest = hashlib.sha256()
    for path in (ROOT / "pyproject.toml", lock_of(group)):
        digest.update(path.read_bytes())
    about = [group, UV_VERSION, platform.python_version(), platform.machine(), os.path.realpath(sys.executable), ROOT]
    digest.update(repr([str(part) for part in about]).encode())
    return digest.hexdigest()


def install_uv():
    """Put the pinned uv into a small virtual environment of its own, by pip."""
    home = TOOLS / "uv"
    stamp = home / ".stamp"
    wanted = "{} {} {}".format(UV_VERSION, platform.python_version(), ROOT)
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    made = run([sys.executable, "-m", "venv", "--clear", home], quiet=True)
    if made.returncode != 0:
        stop(
            "{} cannot make a virtual environment: install its venv module (on Debian and Ubuntu: "
            "apt-get install python3-venv), or name another interpreter: make ... PYTHON=...".format(sys.executable)
        )
    got = run([home / "bin" / "python", "-m", "pip", "install", "--quiet", "uv==" + UV_VERSION])
    if got.returncode != 0:
        stop("pip could not install uv {}: see the lines above (no network, or no package index?)".format(UV_VERSION))
    stamp.write_text(wanted)


def sync(group):
    """Install exactly what the lock says for one group; the project itself belongs to `dev` alone."""
    home = ENVIRONMENTS[group]
    if not (home / "bin" / "python").exists():
        uv(["venv", "--quiet", "--clear", "--python", sys.executable, home], group)
    target = ["--quiet", "--python", home / "bin" / "python"]
    uv(["pip", "sync", "--require-hashes", *target, lock_of(group)], group)
    if group == "dev":
        uv(["pip", "install", "--no-deps", *target, "--editable", "."], group)


def lock():
    """Renew the locks: every package of each group with its hashes, for all the Pythons we support."""
    install_uv()
    LOCKS.mkdir(exist_ok=True)
    for group, sources in SOURCES.items():
        options = ["--universal", "--generate-hashes", "--quiet", "--no-header", "--python-version", "3.11"]
        uv(["pip", "compile", *options, *sources, "--group", group, "--output-file", lock_of(group)], group)


def lock_of(group):
    return LOCKS / (group + ".txt")


def uv(arguments, group):
    """Run uv; it never fetches a Python of its own."""
    environment = dict(os.environ, UV_PYTHON_DOWNLOADS="never")
    environment.pop("VIRTUAL_ENV", None)
    if run([TOOLS / "uv" / "bin" / "uv", *arguments], environment=environment).returncode != 0:
        stop("uv could not install the environment {}: see the lines above".format(group))


def run(command, environment=None, quiet=False):
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(
        [str(part) for part in command], cwd=str(ROOT), env=environment, stdout=output, stderr=output, check=False
    )


def say(line):
    sys.stderr.write("kartoteka: {}\n".format(line))
    sys.stderr.flush()


def stop(line):
    say(line)
    raise SystemExit(1)


if __name__ == "__main__":
    main(sys.argv[1:] or list(ENVIRONMENTS))
