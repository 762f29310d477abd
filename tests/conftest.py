"""Fixtures that several suites share, and how hypothesis runs: never against the clock."""

import os

from hypothesis import HealthCheck, settings

# As in the template. Powertools reads them once, when the first module that imports the handlers is collected.
os.environ |= {"POWERTOOLS_SERVICE_NAME": "kartoteka", "POWERTOOLS_METRICS_NAMESPACE": "Kartoteka"}
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("untimed")

pytest_plugins = (
    "tests.fixtures.moto_names",
    "tests.fixtures.postgres",
    "tests.fixtures.mariadb",
    "tests.fixtures.mssql",
    "tests.fixtures.exchange",
    "tests.fixtures.tsql",
    "tests.fixtures.cli",
    "tests.fixtures.installation",
    "tests.fixtures.browser",
)
