"""How a process gets going: its modules load without being searched for garbage.

What loads stays for good, tens of thousands of objects. Python's collector would search all of them again and again while
they come in, a quarter of the time of a start, and later now and then, which holds every request for a tenth of a second.
"""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def loading() -> Generator[None]:
    """What is made in the block is never searched for garbage, neither then nor later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
