"""Run the workspace: python -m local_workspace --home DIR [--port N]."""

import argparse
import sys
from pathlib import Path

from local_workspace.config import DEFAULT_PORT, BadSetting, Config, ModelServer, bad_days, token_life
from local_workspace.startup import CannotStart, serve


def main() -> int:
    """Serve until told to stop; 1 if the workspace cannot start here."""
    parser = argparse.ArgumentParser(
        prog="local_workspace", description="A Databricks workspace on one machine."
    )
    parser.add_argument("--home", type=Path, required=True, help="directory of all local state")
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port of the REST API; 0 picks a free one"
    )
    arguments = parser.parse_args()
    try:
        model = ModelServer.from_environment()
        home = arguments.home.absolute()
        serve(Config(home, arguments.port, model=model, token_life=token_life(), bad_days=bad_days()))
    except (BadSetting, CannotStart) as error:
        print(error, file=sys.stderr)  # noqa: T201  this is a command
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
