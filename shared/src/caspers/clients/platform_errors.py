"""Which of our five kinds an error of the Databricks SDK is: by its class, never by its text."""

from databricks.sdk import errors as sdk

from caspers.errors import CaspersError, Conflict, Invalid, NotFound, Refused, Unavailable

#: What a call of the SDK may raise: its own errors, those of the HTTP library below it (all OSErrors), and
#: ValueError when it finds no credentials that work.
PLATFORM_ERRORS = (sdk.DatabricksError, OSError, ValueError)

_KINDS: tuple[tuple[type[Exception], type[CaspersError]], ...] = (
    (sdk.NotFound, NotFound),
    (sdk.ResourceConflict, Conflict),
    (sdk.PermissionDenied, Refused),
    (sdk.Unauthenticated, Refused),
    (sdk.NotImplemented, Invalid),
    (sdk.BadRequest, Invalid),
)


def from_platform(doing: str, error: Exception) -> CaspersError:
    """Our error for what the SDK raised while `doing` something: "reading /Volumes/…"."""
    kind = next((ours for theirs, ours in _KINDS if isinstance(error, theirs)), Unavailable)
    return kind(f"{doing}: {error}")
