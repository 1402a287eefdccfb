"""All calls that the workspace knows of, and what of that it refuses."""

from local_workspace.coverage.calls import REFUSED, Call, Family
from local_workspace.coverage.data_families import DATA
from local_workspace.coverage.work_families import WORK

FAMILIES: tuple[Family, ...] = (*WORK[:-1], *DATA, WORK[-1])
CALLS: tuple[Call, ...] = tuple(call for family in FAMILIES for call in family.calls)
ANSWERED: tuple[Call, ...] = tuple(call for call in CALLS if call.likeness != REFUSED)
