"""What stages are declared from: the parameters, and what the control plane knows of its own sources."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from caspers.names import Names
from caspers.settings import Parameters


@dataclass(frozen=True)
class Demo:
    """One demo, as it is wanted."""

    parameters: Parameters
    digests: Mapping[str, str]
    """The digest of every source bundle, so that changed sources are changed specifications."""
    functions: Mapping[str, str] = field(default_factory=dict[str, str])
    """The definition of every SQL function by its name."""
    warehouse_id: str = ""
    """The warehouse to use; empty: choose one."""

    @property
    def names(self) -> Names:
        return self.parameters.names
