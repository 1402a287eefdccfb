"""Run the admin app on the platform's port."""

from caspers.settings import read_settings
from caspers.web.app import serve

from admin.app import build

settings = read_settings()
serve(build(settings), settings)
