"""A process that replays into FOLDER from the dataset DATASET, to be killed."""

import sys
from pathlib import Path

from tests.replayer.stage import Stage

if __name__ == "__main__":
    Stage(Path(sys.argv[1]), Path(sys.argv[2]), start_day=0, events_per_file=2_000).run()
