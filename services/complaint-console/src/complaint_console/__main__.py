"""Run the complaint console on the platform's port."""

from caspers.settings import read_settings
from caspers.web.app import serve

from complaint_console.app import build_app

if __name__ == "__main__":
    settings = read_settings()
    serve(build_app(settings), settings)
