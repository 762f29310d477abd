"""Installs the tools into the project's own folder, from uv.lock: `python3 local/bootstrap.py dev cloud sam`.

`python3 local/bootstrap.py lock` renews the lock from pyproject.toml and shared/requirements.txt; more words go to
`uv lock`.

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
ENVIRONMENTS = {"dev": ROOT / ".venv", "cloud": TOOLS / "cloud", "sam": TOOLS / "sam"}
ENVIRONMENTS |= {"audit": TOOLS / "audit", "bench": TOOLS / "bench"}
UV_HOME = TOOLS / "uv"
UV_VERSION = "0.13.9"
OLDEST_PYTHON = (3, 11)
PYPI = "https://pypi.org/simple"  # by name: the index of the machine that renews the lock must not get into it


def main(words):
    """Bring the named environments to the state of the lock; do nothing where they are there already."""
    if sys.version_info < OLDEST_PYTHON:
        old = "{} is Python {}; Kartoteka needs 3.11 or newer: make ... PYTHON=/path/to/python3.13"
        stop(old.format(sys.executable, platform.python_version()))
    if words[:1] == ["lock"]:
        install("uv", UV_HOME, UV_VERSION)
        uv("could not renew the lock", "lock", "--default-index", PYPI, "--python", sys.executable, *words[1:])
        return
    contents = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "uv.lock"))
    for group in words:
        install(group, ENVIRONMENTS[group], hashlib.sha256(contents).hexdigest())


def install(name, home, contents):
    """Make the virtual environment `home` hold what its name says, unless its stamp tells that it does."""
    # An environment holds the full paths of its scripts and of its Python: where one has changed it is made anew.
    place = repr([str(ROOT), os.path.realpath(sys.executable), platform.python_version(), platform.machine()])
    stamp = home / ".stamp"
    found = stamp.read_text().splitlines() if stamp.is_file() else []
    if found == [place, contents]:
        return
    if name != "uv":
        install("uv", UV_HOME, UV_VERSION)
    say("installing {} into {}".format(name, home.relative_to(ROOT)))
    if found[:1] == [place]:
        stamp.unlink()
    else:
        options = ["--clear"] if name == "uv" else ["--clear", "--without-pip"]
        advice = "cannot make a virtual environment: install its venv module (on Debian and Ubuntu: apt-get install "
        advice += "python3-venv), or name another interpreter: make ... PYTHON=/path/to/python3.13"
        run("{} {}".format(sys.executable, advice), sys.executable, "-m", "venv", *options, home)
    python = home / "bin" / "python"
    if name == "uv":
        failed = "pip could not install uv: see the lines above (no network, or no package index?)"
        run(failed, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv==" + UV_VERSION)
    else:
        fill(name, python)
    stamp.write_text("{}\n{}\n".format(place, contents))


def fill(group, python):
    """Install exactly what the lock says for one group; the project itself belongs to `dev` alone.

    Not `uv sync`: it takes files from the addresses in the lock, and so goes past a package index of the user's own.
    """
    listed = TOOLS / (group + ".txt")
    failed = "could not install {} (without a network, UV_OFFLINE=1 makes do with uv's cache; behind a proxy with a "
    failed += "certificate of its own, UV_SYSTEM_CERTS=1 trusts what the system trusts)"
    failed = failed.format(group)
    groups = ["--no-emit-project"] if group == "dev" else ["--only-group", group]
    uv(failed, "export", "--frozen", *groups, "--output-file", listed)
    uv(failed, "pip", "sync", "--python", python, "--require-hashes", listed)
    if group == "dev":
        options = ["--python", python, "--no-deps", "--no-build-isolation"]
        uv(failed, "pip", "install", *options, "--editable", ".")


def uv(failed, *arguments):
    """Run uv; it never fetches a Python of its own."""
    os.environ["UV_PYTHON_DOWNLOADS"] = "never"
    os.environ.pop("VIRTUAL_ENV", None)
    run("uv {}: see the lines above".format(failed), UV_HOME / "bin" / "uv", "--quiet", *arguments)


def run(failed, *command):
    if subprocess.run([str(part) for part in command], cwd=str(ROOT), check=False).returncode != 0:
        stop(failed)


def say(line):
    sys.stderr.write("kartoteka: {}\n".format(line))
    sys.stderr.flush()


def stop(line):
    say(line)
    raise SystemExit(1)


if __name__ == "__main__":
    main(sys.argv[1:] or list(ENVIRONMENTS))
