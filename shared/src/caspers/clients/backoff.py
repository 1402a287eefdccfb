"""How long to wait before trying again: doubling from a first delay up to a ceiling, spread by jitter."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Backoff:
    """Delays in seconds; `jitter` is the largest share that chance may take off, so that peers do not march in step."""

    first_s: float = 1.0
    ceiling_s: float = 60.0
    jitter: float = 0.3

    def delay_s(self, failures: int, chance: Random) -> float:
        """Seconds to wait after `failures` failures in a row (1 or more)."""
        doublings = min(max(failures, 1) - 1, 32)
        delay = min(self.ceiling_s, self.first_s * 2**doublings)
        return delay * (1 - self.jitter * chance.random())
