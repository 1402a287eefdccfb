"""One statement on its way: whose it is, where names are looked up, and how the engine knows it."""

from dataclasses import dataclass

from local_workspace.api.sql.expansion import Scope
from local_workspace.api.sql.names import Place
from local_workspace.api.sql.parameters import Bindings
from local_workspace.api.sql.sessions import Session
from local_workspace.api.sql.statements import Request
from local_workspace.identity import Principal


@dataclass(frozen=True)
class Call:
    """A request being carried out; `operation` is its name in the engine, for interrupting it."""

    request: Request
    operation: str

    @property
    def session(self) -> Session:
        """The session it came in."""
        return self.request.session

    @property
    def caller(self) -> Principal:
        """In whose name it runs."""
        return self.session.principal

    @property
    def scope(self) -> Scope:
        """Where its names and parameters are looked up."""
        return Scope(self.caller, Place.of(self.session), Bindings(self.request.parameters))

    @property
    def definition_scope(self) -> Scope:
        """The same for what is kept, where no parameters may stand."""
        return Scope(self.caller, Place.of(self.session))
