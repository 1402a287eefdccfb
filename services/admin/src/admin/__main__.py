"""Run the admin app on the platform's port."""

from caspers.startup import loading

with loading():
    from caspers.settings import read_settings
    from caspers.web.app import serve

    from admin.app import build

    settings = read_settings()
    app = build(settings)

serve(app, settings)
