"""The real `sam build` and `sam deploy`, against the embedded AWS.

The embedded AWS unpacks a function's layer for each worker that it starts: 128 MB on disk, and some seconds of work. So
the layer that is built stays in a folder here, which all workers share, and what is deployed in its place points there.
"""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from local import home, ministack
from local.failure import LocalFailure

SAM = home.ROOT / ".tools" / "sam" / "bin" / "sam"
PYTHONS = home.ROOT / ".tools" / "uv" / "bin"
STACK = "kartoteka"
BUCKET = "kartoteka-artifacts"
ENTRIES = "kartoteka.entry, kartoteka.desk_entry, kartoteka.hook"
"""The modules that functions import."""
SOURCES = ("template.yaml", "functions", "shared")
BUILD = home.HOME / "build"
CACHE = home.HOME / "build-cache"
LAYER = BUILD / "SharedLayer"
"""Where the template's layer is built."""
LAYERS = home.HOME / "layers"
"""The layers that workers share, each in a folder named by its sources: those that run keep theirs."""
BUILD_LOG = home.LOGS / "build.log"
DEPLOY_LOG = home.LOGS / "deploy.log"


def sources_fingerprint() -> str:
    """Tell one state of what is built from another."""
    digest = hashlib.sha256(runtime().encode())
    for name in SOURCES:
        path = home.ROOT / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(home.ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def runtime() -> str:
    """Return the Lambda runtime that fits this interpreter."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def architecture() -> str:
    """Return Lambda's word for this machine's processor."""
    return "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


def build(sources: str) -> None:
    """Build the layer and the functions from these sources, unless that is what was built last."""
    stamp = BUILD / "sources"
    if stamp.is_file() and stamp.read_text() == sources and layer(sources).is_dir():
        return
    stamp.unlink(missing_ok=True)
    overrides = [f"PythonRuntime={runtime()}", f"Architecture={architecture()}"]
    command = ["build", "--cached", "--parallel", "--build-dir", str(BUILD), "--cache-dir", str(CACHE)]
    _sam([*command, "--parameter-overrides", *overrides], log=BUILD_LOG, what="sam build failed", more={})
    _share(sources)
    stamp.write_text(sources)


def layer(sources: str) -> Path:
    """Return the folder of the packages that the functions import, built from these sources."""
    return LAYERS / sources[:16]


def _share(sources: str) -> None:
    """Move the layer that was built to where the workers share it, and leave in its place what points there."""
    shared = layer(sources)
    shutil.rmtree(shared, ignore_errors=True)
    LAYERS.mkdir(exist_ok=True)
    (LAYER / "python").rename(shared)
    pointer = LAYER / "python" / "lib" / runtime() / "site-packages" / "kartoteka.pth"
    pointer.parent.mkdir(parents=True)
    pointer.write_text(f"import sys; sys.path.insert(0, {str(shared)!a})\n")


def forget_others(sources: str) -> None:
    """Remove the layers of other sources: no worker runs with them any more."""
    for folder in LAYERS.iterdir():
        if folder != layer(sources):
            shutil.rmtree(folder, ignore_errors=True)


def compiling(sources: str) -> subprocess.Popen[bytes]:
    """Begin to compile what the functions import, while SAM deploys: else the first workers do it, each for itself."""
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(layer(sources))!a}); import {ENTRIES}"],
        env={"PATH": os.environ["PATH"], **ministack.no_account_of_the_user()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # a function that cannot be imported says so itself, when it is woken
    )


def deploy(endpoint: str, parameters: Mapping[str, str]) -> None:
    """Create or update the stack. The parameters go by a private file, for some are secrets."""
    path = home.HOME / "parameters.yaml"
    everything = {**parameters, "PythonRuntime": runtime(), "Architecture": architecture()}
    everything["Generation"] = secrets.token_hex(8)
    home.write_private(path, yaml.safe_dump({name: _quoted(value) for name, value in everything.items()}))
    command = ["deploy", "--template-file", str(BUILD / "template.yaml"), "--stack-name", STACK]
    command += ["--s3-bucket", BUCKET, "--region", ministack.REGION]
    command += ["--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset"]
    command += ["--no-progressbar", "--parameter-overrides", f"file://{path}"]  # no URI to SAM: a %20 would stay
    try:
        _sam(command, log=DEPLOY_LOG, what="sam deploy failed", more={"AWS_ENDPOINT_URL": endpoint})
    finally:
        path.unlink(missing_ok=True)


def _quoted(value: str) -> str:
    """Undo beforehand what SAM undoes: wrapping quotes, and backslashes before blanks and quotes."""
    for mark in (" ", '"', "'"):
        value = value.replace("\\" + mark, "\\\\" + mark)
    return f'"{value}"'


def _sam(arguments: Sequence[str], *, log: Path, what: str, more: Mapping[str, str]) -> None:
    environment = {**os.environ, **ministack.no_account_of_the_user(), **more}
    environment |= {"PATH": f"{PYTHONS}{os.pathsep}{os.environ['PATH']}", "SAM_CLI_TELEMETRY": "0"}
    environment |= {"SAM_CLI_POLL_DELAY": "0.2", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    environment |= {"SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS": "1"}  # samconfig.toml is not found beside the built template
    with log.open("w") as stream:
        done = subprocess.run(
            [str(SAM), *arguments],
            cwd=home.ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        raise LocalFailure(what, log=log)
