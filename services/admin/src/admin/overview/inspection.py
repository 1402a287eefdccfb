"""A look at registered resources: is each there, and is it well? The platform is asked, nothing is changed."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from admin.declarations import Entry
from admin.engine.steps import can_be_read, explained
from admin.overview.links import link
from admin.resources.kind import Declared, Found, Kind, Readiness
from admin.shapes import Health, ResourceView

PARALLEL_LOOKS = 8

_HEALTH: Mapping[Readiness, Health] = {
    "ready": "ok",
    "working": "working",
    "stopped": "stopped",
    "going": "missing",
    "failed": "failed",
}


class Inspection:
    """Looks at resources; `host` is the workspace's address, for the links."""

    def __init__(self, kinds: Mapping[str, Kind], host: str) -> None:
        self._kinds = kinds
        self._host = host

    def recorded(self, entries: Iterable[Entry]) -> list[ResourceView]:
        """The resources as they are recorded, without asking anybody."""
        return [self._view(entry, "unknown", "") for entry in entries]

    def look(self, entries: Iterable[Entry]) -> list[ResourceView]:
        """The resources with their health now. One that cannot be asked is unknown, with the reason."""
        with ThreadPoolExecutor(PARALLEL_LOOKS, thread_name_prefix="look") as pool:
            return list(pool.map(self._look, entries))

    def _look(self, entry: Entry) -> ResourceView:
        kind = self._kinds[entry.kind]
        if not can_be_read(kind, entry):
            return self._view(entry, "missing", "it was planned and is not made yet")
        try:
            found = kind.read(Declared(entry.name, entry.spec, entry.id))
        except Exception as error:  # noqa: BLE001  whatever keeps us from asking is said of this resource alone
            return self._view(entry, "unknown", explained(error).message)
        return self._view(entry, *health(entry, found))

    def _view(self, entry: Entry, well: Health, message: str) -> ResourceView:
        return ResourceView(
            entry.key,
            entry.kind,
            entry.name,
            entry.stage,
            entry.id,
            entry.state,
            entry.created_at,
            entry.changed_at,
            entry.needs,
            link(self._host, entry),
            well,
            message,
        )


def health(entry: Entry, found: Found | None) -> tuple[Health, str]:
    """How a registered resource is, given what was found of it, and why in words. Pure."""
    if found is None:
        return (
            "missing",
            "it was planned and is not made yet" if entry.state == "planned" else "it went missing",
        )
    if found.state == "ready":
        drifted = sorted(
            name for name, value in found.settings.items() if name in entry.spec and entry.spec[name] != value
        )
        return (
            ("drifted", f"it differs from what was wanted: {', '.join(drifted)}") if drifted else ("ok", "")
        )
    return _HEALTH[found.state], found.message or ("it is being deleted" if found.state == "going" else "")
