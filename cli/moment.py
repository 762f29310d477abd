"""An option that is a moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

import click

from cli.show import said
from kartoteka.desk import plans


def moment(written: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Return what reads such an option: as ISO 8601 in UTC. Where it is none, ``written`` says how one is written."""

    def read(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
        try:
            return plans.moment(text).astimezone(UTC).isoformat() if text else None
        except ValueError:
            raise click.BadParameter(
                said("{text} is no moment; write it {written}", text=repr(text), written=said(written))
            ) from None

    return read
