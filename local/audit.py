"""Looks for known weaknesses: checkov over the template as CloudFormation gets it, and the lock's packages.

`make audit`. Checkov asks nobody. The list of known holes in packages is a service's (osv.dev): where it cannot be
reached, that part is left out loudly.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLOUD, AUDIT, UV = (ROOT / ".tools" / name for name in ("cloud/bin/python", "audit/bin/checkov", "uv/bin/uv"))

EXCEPTIONS = {
    "CKV_AWS_115": "a function's concurrency is that of its queue's message groups; reserving some would take it from "
    "the account's other functions",
    "CKV_AWS_116": "a queue's function answers by message, and its queue has a dead-letter queue; a schedule's event "
    "is worth nothing once the next one has come",
    "CKV_AWS_158": "logs hold no personal data and no secret (tests/functional/test_canaries.py), and CloudWatch "
    "encrypts them; a key of one's own would need its policy to name the logs service",
}
"""Checks of checkov that we do not pass, and why."""

UNREACHABLE = "dns error", "client error (Connect)", "timed out"


def template() -> int:
    """Run checkov over the transformed template; return its exit code."""
    reader = ROOT / "tests" / "template" / "transforming.py"
    done = subprocess.run([CLOUD, reader, ROOT / "template.yaml"], capture_output=True, text=True, check=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.json"
        path.write_text(json.dumps(json.loads(done.stdout)["transformed"], indent=1))
        quiet = ["--framework", "cloudformation", "--skip-download", "--compact", "--quiet"]
        return subprocess.run([AUDIT, "-f", path, *quiet, "--skip-check", ",".join(EXCEPTIONS)], check=False).returncode


def packages() -> int:
    """Ask osv.dev about every package of the lock; return 0 where nobody can be asked."""
    done = subprocess.run([UV, "audit", "--frozen"], cwd=ROOT, capture_output=True, text=True, check=False)
    sys.stdout.write(done.stdout)
    if done.returncode and any(word in done.stderr for word in UNREACHABLE):
        sys.stderr.write("kartoteka: SKIPPED: osv.dev cannot be reached, so no package was looked up\n")
        return 0
    sys.stderr.write(done.stderr)
    return done.returncode


if __name__ == "__main__":
    raise SystemExit(template() or packages())
