"""Run the complaint console on the platform's port."""

from caspers.startup import loading

with loading():
    from caspers.settings import read_settings
    from caspers.web.app import serve

    from complaint_console.app import build_app

    settings = read_settings()
    app = build_app(settings)

serve(app, settings)
