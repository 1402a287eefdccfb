"""The five kinds of error that cross module boundaries, each a sentence for the person who reads it.

Two readers use the kind: `web.problems` turns it into an HTTP status, `worker.loop` backs off when something is
*Unavailable* and reports the rest. Domain errors subclass a kind at the top of the module that raises them.
"""


class CaspersError(Exception):
    """What happened, to what; `what_now` says what the reader can do about it (empty: nothing special)."""

    def __init__(self, message: str, *, what_now: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.what_now = what_now


class Invalid(CaspersError):
    """What was asked makes no sense as it stands: a value, a statement, a parameter."""


class NotFound(CaspersError):
    """The thing that was named does not exist (or not yet)."""


class Conflict(CaspersError):
    """It would contradict what is already there: somebody else was first, or the state forbids it."""


class Refused(CaspersError):
    """The caller is known and may not do this."""


class Unavailable(CaspersError):
    """Something we depend on does not answer at the moment; the same request may succeed later."""
