"""Run one update of a pipeline: python -m local_workspace.pipeline_runs, the update's spec as the first line of input.

The process may be started ahead of time: it loads its libraries and waits for the spec. It ends when its input closes.
"""

import os
import signal
import sys
import threading
import traceback

from grpc import RpcError
from pyspark.errors import PySparkException

from local_workspace.clock import SystemClock
from local_workspace.pipeline_runs.definitions import SourceError
from local_workspace.pipeline_runs.host import HostRefused, StdioHost
from local_workspace.pipeline_runs.session import NotSupportedHere
from local_workspace.pipeline_runs.spec import UpdateSpec
from local_workspace.pipeline_runs.update import Update

STOPPED = 2
"""Exit code when the update was told to end before it was through."""

ABANDONED = 3
"""Exit code when the workspace went away."""


def main() -> int:
    """Run the update; 1 when it failed, with the reason as its last report."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print('{"report": "loaded"}', flush=True)  # noqa: T201  our standard output is the workspace's to read
    line = sys.stdin.readline()
    if not line:
        return ABANDONED
    host = StdioHost(sys.stdout, sys.stdin, gone=lambda: os._exit(ABANDONED))
    sys.stdout = sys.stderr  # what the pipeline's source prints is for its log
    update = Update(UpdateSpec.model_validate_json(line), host, SystemClock(), stop)
    try:
        update.run()
        update.close()
    except (SourceError, NotSupportedHere, HostRefused, PySparkException, RpcError, OSError) as error:
        host.report("failed", message=str(error), error_class=type(error).__name__)
        traceback.print_exc()
        return 1
    if stop.is_set():
        return STOPPED
    host.report("update_progress", state="COMPLETED")
    return 0


if __name__ == "__main__":
    sys.exit(main())
