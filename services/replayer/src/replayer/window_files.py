"""The files of one window in the events volume: their names and bytes follow from the scene and the window alone."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa

from replayer.dataset import Dataset
from replayer.event_lines import add_digests, content, event_lines, lines_digest
from replayer.virtual_time import Anchor
from replayer.watermark import Files, InFlight, SimStart
from replayer.windows import RowRange, Window, cut_into_files

#: Files that are made and written side by side; each takes some 50 MB while it is.
FILES_AT_ONCE = 4


@dataclass(frozen=True)
class Scene:
    """What stays the same while a replay runs: its beginning and its dataset, which was opened from `folder`."""

    start: SimStart
    dataset: Dataset
    folder: str

    @property
    def anchor(self) -> Anchor:
        return self.start.anchor


def write_window(events: Files, scene: Scene, in_flight: InFlight) -> tuple[int, int]:
    """Write the files of a recorded window; the answer is how many there are, and the digest of their lines.

    Doing it again writes the same files with the same bytes.
    """
    ranges = scene.dataset.timeline.row_ranges(in_flight.window)
    files = cut_into_files(ranges, in_flight.events_per_file)

    def write_file(number: int) -> int:
        text = content(_lines(scene, files[number]))
        events.write(file_name(scene.anchor, in_flight.window, number), text)
        return lines_digest(text)

    with ThreadPoolExecutor(FILES_AT_ONCE, thread_name_prefix="window") as pool:
        digest = add_digests(*pool.map(write_file, range(len(files))))
    return len(files), digest


def file_name(anchor: Anchor, window: Window, number: int) -> str:
    """The name of a window's nth file: unique, and sorted by time."""
    start, end = (f"{anchor.moment_of(position):%Y%m%dT%H%M%S}" for position in (window.start, window.end))
    return f"{start}-{end}-{number:05d}.json"


def _lines(scene: Scene, parts: list[RowRange]) -> pa.Array:
    dataset, day_zero = scene.dataset, scene.anchor.day_zero
    return pa.concat_arrays(
        [event_lines(dataset.rows(part), part.loop, dataset.shift_to(day_zero, part.loop)) for part in parts]
    )
