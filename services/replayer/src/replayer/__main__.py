"""Run the replayer on the platform's port."""

from caspers.startup import loading

with loading():
    from caspers.settings import read_settings
    from caspers.web.app import serve

    from replayer.app import build_app
    from replayer.memory import keep_one_heap

    keep_one_heap()
    settings = read_settings()
    app = build_app(settings)

serve(app, settings)
