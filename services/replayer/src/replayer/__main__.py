"""Run the replayer on the platform's port."""

from caspers.settings import read_settings
from caspers.web.app import serve

from replayer.app import build_app
from replayer.memory import keep_one_heap

if __name__ == "__main__":
    keep_one_heap()
    settings = read_settings()
    serve(build_app(settings), settings)
