"""Run one update of a pipeline: python -m local_workspace.pipeline_runs, the update's spec as the first line of input."""

import signal
import sys
import threading
import traceback

from pyspark.errors import PySparkException

from local_workspace.clock import SystemClock
from local_workspace.pipeline_runs.definitions import SourceError
from local_workspace.pipeline_runs.host import HostRefused, StdioHost
from local_workspace.pipeline_runs.session import NotSupportedHere
from local_workspace.pipeline_runs.update import Update, UpdateSpec


def main() -> int:
    """Run the update; 1 when it failed, with the reason as its last report."""
    host = StdioHost()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    update = Update(UpdateSpec.model_validate_json(sys.stdin.readline()), host, SystemClock(), stop)
    try:
        update.run()
        update.close()
    except (SourceError, NotSupportedHere, HostRefused, PySparkException, OSError) as error:
        host.report("failed", message=str(error), kind=type(error).__name__, trace=traceback.format_exc())
        return 1
    host.report("update_progress", state="COMPLETED")
    return 0


if __name__ == "__main__":
    sys.exit(main())
