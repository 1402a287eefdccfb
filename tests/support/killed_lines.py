"""The product with its agent lines, each of its parts killed once (-9), two at a time, while orders come in.

with killed_once((REFUNDS, COMPLAINTS), home, seed=7) as product:   # everything was killed, the replay is paused
    ...                                                             # wait until a line has caught up, and count
"""

import random
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

from caspers.clients.lakebase import Lakebase

from tests.support.product import Product
from tests.support.waiting import wait_for

DAYS = 3
#: Twenty minutes of orders a second, so that a night without orders is over in seconds; on top of a day of history.
QUICK = ("--start-day", "1", "--speed", "1200", "--schedule-minutes", "0.01", "--port", "0")
WORKSPACE = "workspace"
#: What every line runs on.
SHARED = ("-m replayer", "local_workspace.pipeline_runs", "sail spark server", WORKSPACE)
#: A killed part may take this long to work again.
PATIENCE_S = 90


@dataclass(frozen=True)
class KilledLine:
    """A line to be killed: what it is brought up with, its own parts, and what shows that it works.

    Attributes:
        parameters: of `caspers up`.
        app: what the command line of its app's process holds.
        project: its Lakebase project, without the catalog.
        database: the database in it.
        done: a statement that counts what the line has done.
    """

    parameters: Sequence[str]
    app: str
    project: str
    database: str
    done: LiteralString

    def copy(self, product: Product) -> Lakebase:
        """The line's database in Lakebase."""
        return product.database(self.project, self.database)


@contextmanager
def killed_once(lines: Sequence[KilledLine], home: Path, *, seed: int) -> Generator[Product]:
    """The product after all that; it is taken down at the end of the block."""
    product = Product(home)
    own = [part for line in lines for part in (line.app, f"{product.catalog}{line.project}")]
    victims = [*own, *SHARED]
    random.Random(seed).shuffle(victims)
    parameters = [each for line in lines for each in line.parameters]
    try:
        product.up("--target", "all", "--days", str(DAYS), *QUICK, *parameters)
        while victims:
            pair = victims.pop(), victims.pop()
            _wait_until_the_replay_goes_on(product)
            for line in lines:
                _wait_until_it_works(product, line, pair)
            for victim in pair:
                _kill(product, victim)
        product.replay("pause")
        wait_for(lambda: product.replay_status()["paused"], what="the replay is paused")
        yield product
    finally:
        product.down()


def equal_rows(database: Lakebase, copy: LiteralString, rows: list[dict[str, Any]]) -> bool:
    """Whether a statement in Lakebase gives these rows, column by column."""
    with database.reading() as reader:
        return [tuple(row) for row in reader.rows(copy)] == [tuple(row.values()) for row in rows]


def _wait_until_the_replay_goes_on(product: Product) -> None:
    before = product.position
    wait_for(lambda: product.position > before, seconds=PATIENCE_S, what="the replay goes on")


def _wait_until_it_works(product: Product, line: KilledLine, victims: Sequence[str]) -> None:
    """Return when more is done than at the first answer since the last kill."""
    counts: list[int] = []

    def works() -> bool:
        count = product.value(line.done)
        if count is not None:
            counts.append(count)
        return bool(counts) and counts[-1] > counts[0]

    wait_for(
        works,
        seconds=PATIENCE_S,
        what=f"{line.app} works before the death of {' and '.join(victims)}",
        every=0.2,
    )


def _kill(product: Product, victim: str) -> None:
    wait_for(lambda: product.kill(victim), what=f"{victim} was there to be killed")
    if victim == WORKSPACE:
        product.up("--port", "0")
