"""SQL sessions: what a connection remembers between statements."""

import threading
from dataclasses import dataclass, field
from datetime import timedelta

from local_workspace import ids
from local_workspace.clock import Clock
from local_workspace.errors import NotFound
from local_workspace.identity import Principal

IDLE_LIFE = timedelta(hours=1)
DEFAULT_SCHEMA = "default"


@dataclass
class Session:
    """A connection's state.

    Attributes:
        catalog: the current catalog; None until one is chosen.
        settings: what SET has set, by name.
    """

    principal: Principal
    warehouse_id: str
    catalog: str | None = None
    schema: str = DEFAULT_SCHEMA
    settings: dict[str, str] = field(default_factory=dict)
    id: str = field(default_factory=ids.new_uuid)
    used_at: float = 0.0


class Sessions:
    """The open sessions; one that nobody used for an hour is closed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def open(self, session: Session) -> Session:
        """Enter a session."""
        now = self._clock.monotonic()
        with self._lock:
            oldest = now - IDLE_LIFE.total_seconds()
            self._sessions = {key: kept for key, kept in self._sessions.items() if kept.used_at > oldest}
            session.used_at = now
            self._sessions[session.id] = session
        return session

    def get(self, caller: Principal, session_id: str) -> Session:
        """The caller's session of that id.

        Raises:
            NotFound: it was closed, has expired, or is somebody else's.
        """
        with self._lock:
            session = self._sessions.get(session_id)
            if session is None or session.principal.name != caller.name:
                raise NotFound(f"Session {session_id} does not exist or has been closed; open a new one.")
            session.used_at = self._clock.monotonic()
            return session

    def close(self, caller: Principal, session_id: str) -> None:
        """Forget a session; one that is gone already is fine."""
        with self._lock:
            session = self._sessions.get(session_id)
            if session is not None and session.principal.name == caller.name:
                del self._sessions[session_id]
