"""Run the replayer on the platform's port."""

from caspers.settings import read_settings
from caspers.web.app import serve

from replayer.app import build_app
from replayer.memory import return_large_blocks

if __name__ == "__main__":
    return_large_blocks()
    settings = read_settings()
    serve(build_app(settings), settings)
