"""All examples behind one entry, each under its own address, beside its plain-Dash original from ``plain/``.

Serve it with ``python examples/gallery.py`` or ``gunicorn --workers 4 examples.gallery:server``. With
``BACKEND=fastapi`` or ``BACKEND=quart`` it is an ASGI app: ``uvicorn --workers 4 examples.gallery:server``.
"""

import os
import sys
from importlib import import_module
from pathlib import Path
from threading import Thread

from flask import Flask, render_template
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import run_simple

from dash_brain import configure

sys.path.insert(0, str(Path(__file__).parent))  # where each example finds what it imports, as when run alone
from backend import BACKEND

if BACKEND != "flask":
    import gallery_asgi

EXAMPLES = {
    "flights": "336,776 flights, six linked views, and kilobytes instead of megabytes on the wire.",
    "cleaning": "One slow cleaning step feeds a graph and a table: 10 MB that never leave the server.",
    "aggregations": "One query, a frame for each fruit, and each graph reads its own.",
    "signalling": "An expensive query runs once for everybody; four graphs are drawn in parallel.",
    "load_once": "101 MB, loaded and held once for all workers, before anybody is served.",
    "feeder": "The figures follow a process that learns new prices twice a second.",
    "session_data": "Each browser session keeps its own data, and both outputs agree about it.",
    "temperature": "Switch between Celsius and Fahrenheit without fetching the day again.",
}

index = Flask(__name__, template_folder=".", static_folder="assets")


@index.get("/")
def show_index():
    return render_template("gallery.html", examples=EXAMPLES)


def mount(example, address, module):
    """Import a module so that its app answers below ``/<address>/``, with a bar above its page."""
    os.environ["DASH_REQUESTS_PATHNAME_PREFIX"] = f"/{address}/"
    # DispatcherMiddleware takes the address off the path; the mounts of ASGI keep it.
    is_asgi = BACKEND != "flask" and address == example
    os.environ["DASH_ROUTES_PATHNAME_PREFIX"] = f"/{address}/" if is_asgi else "/"
    app = import_module(module).app
    with index.app_context():
        bar = render_template("gallery_bar.html", name=example, here=address)
    app.index_string = app.index_string.replace("<main>", bar + "<main>")
    # On its first request an app takes all callbacks that `@callback` has collected: those of its own module.
    if is_asgi:
        gallery_asgi.ask(app.server, f"/{address}/_dash-dependencies")
    else:
        app.server.after_request(tell_worker)
        app.server.test_client().get("/_dash-dependencies")
    return app.server


def tell_worker(response):
    response.headers["X-Worker"] = os.getpid()
    return response


configure(max_sessions=200)  # for all: one process has one configuration
examples, originals = {}, {}
for name in EXAMPLES:
    examples[f"/{name}"] = mount(name, name, name)
    originals[f"/{name}_plain"] = mount(name, f"{name}_plain", f"plain.{name}")
del os.environ["DASH_REQUESTS_PATHNAME_PREFIX"], os.environ["DASH_ROUTES_PATHNAME_PREFIX"]
if BACKEND == "flask":
    server = DispatcherMiddleware(index, examples | originals)
else:
    server = gallery_asgi.Gallery(examples, DispatcherMiddleware(index, originals))
# Every worker would feed the example `feeder`; one does, and when it is gone another takes over.
Thread(target=import_module("feed").feed_alone, daemon=True).start()

if __name__ == "__main__":
    run_simple("127.0.0.1", int(os.environ.get("PORT", 8050)), server, threaded=True)
