"""A process that recommends without end, to be killed: python -m … URL TOKEN CATALOG."""

import sys

from caspers.clients.workspace import workspace_client

from tests.refund_manager.line import Line

if __name__ == "__main__":
    line = Line(workspace_client(host=sys.argv[1], token=sys.argv[2]), sys.argv[3])
    while True:
        line.work(sys.maxsize)
