"""The embedded AWS: ministack, on loopback, from an environment of its own."""

from __future__ import annotations

import os
from typing import Final

import requests

from local import home, processes
from local.ports import LOOPBACK, free_port
from local.waiting import wait_until

NAME = "cloud"
REGION: Final = "eu-central-1"
PATIENCE = 60.0
MOST_WORKERS = 18
"""Two for each function: on a machine that is too slow for its schedules no more are started beside those at work."""
PYTHON = home.ROOT / ".tools" / "cloud" / "bin" / "python"
TEMPORARY = home.CLOUD / "tmp"
SYSTEM = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


def ensure(endpoint: str | None) -> tuple[str, bool]:
    """Return the endpoint of a running ministack, and whether it had to be started."""
    if endpoint and processes.find(NAME) and answers(endpoint):
        return endpoint, False
    processes.stop(NAME)
    clean()
    TEMPORARY.mkdir(parents=True)
    port = free_port()
    endpoint = f"http://{LOOPBACK}:{port}"
    processes.start(NAME, [str(PYTHON), "-m", "ministack"], environment(port))
    wait_until(
        lambda: answers(endpoint),
        what="the embedded AWS does not answer",
        seconds=PATIENCE,
        log=processes.log_file(NAME),
        alive=lambda: processes.find(NAME) is not None,
    )
    return endpoint, True


def answers(endpoint: str) -> bool:
    """Tell whether ministack is well."""
    try:
        return requests.get(f"{endpoint}/_ministack/health", timeout=2).ok
    except requests.RequestException:
        return False


def stop() -> bool:
    """Stop it, with the functions that run in it; tell whether it ran."""
    return processes.stop(NAME)


def clean() -> None:
    """Remove what it keeps on disk: artifacts and unpacked functions, never anybody's data."""
    home.discard(home.CLOUD)


def environment(port: int) -> dict[str, str]:
    """Return all that ministack and the functions in it see: nothing of the user's own AWS, and UTC as in Lambda."""
    inherited = {name: os.environ[name] for name in (*SYSTEM, *CERTIFICATES, *PROXIES) if name in os.environ}
    return inherited | {
        "BIND_HOST": LOOPBACK,
        "MINISTACK_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_ACCOUNT_CONCURRENCY": str(MOST_WORKERS),
        "TMPDIR": str(TEMPORARY),
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": f"{LOOPBACK},localhost,::1",
        "no_proxy": f"{LOOPBACK},localhost,::1",
        **no_account_of_the_user(),
    }


def no_account_of_the_user() -> dict[str, str]:
    """Return the settings that keep AWS clients off the user's own profiles and credentials."""
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
