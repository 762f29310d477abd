"""The functions' first answers: one that does not come in time is told in a sentence."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local import functions
from local.failure import LocalFailure

RESOURCES = """<ListStackResourcesResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
  <ListStackResourcesResult><StackResourceSummaries><member>
    <LogicalResourceId>BillingFunction</LogicalResourceId><PhysicalResourceId>kartoteka-billing</PhysicalResourceId>
    <ResourceType>AWS::Lambda::Function</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus>
    <LastUpdatedTimestamp>2026-11-28T00:00:00Z</LastUpdatedTimestamp>
  </member></StackResourceSummaries></ListStackResourcesResult>
</ListStackResourcesResponse>"""


@pytest.fixture
def busy_cloud() -> Iterator[str]:
    """Give the address of a cloud that has one function, which never answers."""
    over = threading.Event()

    class Busy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if "/invocations" in self.path:
                over.wait()
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(RESOURCES.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def test_a_function_that_does_not_answer_in_time_is_named(busy_cloud: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "PATIENCE", 1)
    with pytest.raises(
        LocalFailure, match=r"the function kartoteka-billing did not answer within 1 s: is this machine"
    ):
        functions.wake(busy_cloud)
