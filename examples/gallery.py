"""All examples behind one entry, each under its own address, beside its plain-Dash original from ``plain/``.

Serve it with ``python examples/gallery.py`` or ``gunicorn --workers 4 examples.gallery:server``. With
``BACKEND=fastapi`` or ``BACKEND=quart`` it is an ASGI app: ``uvicorn --workers 4 examples.gallery:server``.
"""

import os
import sys
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from dash._get_app import app_context
from dash.development.base_component import ComponentRegistry
from flask import Flask, abort, render_template, send_from_directory
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import run_simple

from dash_brain import configure

sys.path.insert(0, str(Path(__file__).parent))  # where each example finds what it imports, as when run alone
import gallery_docs
from backend import BACKEND
from gallery_code import compare, counts

if BACKEND != "flask":
    import gallery_asgi


class Example(NamedTuple):
    """What the gallery says of an example, and the page of ``docs`` about its task."""

    sentence: str
    docs: str


EXAMPLES = {
    "flights": Example(
        "336,776 flights, six linked views, and kilobytes instead of megabytes on the wire.",
        "from-dcc-store.md",
    ),
    "cleaning": Example(
        "One slow cleaning step feeds a graph and a table: 10 MB that never leave the server.",
        "start.md",
    ),
    "aggregations": Example(
        "One query, a frame for each fruit, and each graph reads its own.", "copy-on-write.md"
    ),
    "signalling": Example(
        "An expensive query runs once for everybody; four graphs are drawn in parallel.",
        "memoize.md",
    ),
    "load_once": Example(
        "101 MB, loaded and held once for all workers, before anybody is served.",
        "recipes/share-with-all.md",
    ),
    "feeder": Example(
        "The figures follow a process that learns new prices twice a second.", "recipes/feed.md"
    ),
    "session_data": Example(
        "Each browser session keeps its own data, and both outputs agree about it.",
        "recipes/per-user.md",
    ),
    "temperature": Example(
        "Switch between Celsius and Fahrenheit without fetching the day again.",
        "memoize.md",
    ),
    "forecast": Example(
        "A job in the background shows its progress, can be cancelled, and keeps its result on the server.",
        "background.md",
    ),
    "explore": Example(
        "Upload a file, look at it in AG Grid, download a part: three pages, and it is parsed once.",
        "recipes/upload.md",
    ),
}

index = Flask(__name__, template_folder=".", static_folder="assets")


@index.get("/")
def show_index():
    return render_template("gallery.html", examples=EXAMPLES)


@index.get("/docs/<path:page>")
def show_docs(page):
    if not page.endswith(".md"):
        return send_from_directory(gallery_docs.DOCS, page)
    if page not in gallery_docs.pages():
        abort(404)
    content = gallery_docs.as_page(page)
    return render_template("gallery_docs.html", title=gallery_docs.title(page), content=content)


def mount(example, address, module):
    """Import a module so that its app answers below ``/<address>/``, with a bar above its page."""
    os.environ["DASH_REQUESTS_PATHNAME_PREFIX"] = f"/{address}/"
    # DispatcherMiddleware takes the address off the path; the mounts of ASGI keep it.
    is_asgi = BACKEND != "flask" and address == example
    os.environ["DASH_ROUTES_PATHNAME_PREFIX"] = f"/{address}/" if is_asgi else "/"
    app = import_module(module).app
    add_to_page(app, example, address)
    leave_out_later_libraries(app)
    # On its first request an app takes all callbacks that `@callback` has collected: those of its own module.
    if is_asgi:
        return gallery_asgi.begin(app, address)
    app.server.after_request(tell_worker)
    ask(app.server)
    return within(app)


def ask(server):
    """Send an app a request; in a thread, because ASGI servers import the gallery on their event loop."""
    thread = Thread(target=lambda: server.test_client().get("/_dash-dependencies"))
    thread.start()
    thread.join()


def within(app):
    """Return a WSGI app that tells Dash which app a request is for: otherwise it takes the one made last."""

    def serve(environ, start_response):
        app_context.set(app)
        return app.server(environ, start_response)

    return serve


def add_to_page(app, example, address):
    """Put a bar above the page of an app, and its code below."""
    blocks, docs = compare(example), EXAMPLES[example].docs
    removed, added = counts(blocks)
    about = {"name": example, "here": address, "docs": docs, "docs_title": gallery_docs.title(docs)}
    with index.app_context():
        bar = render_template("gallery_bar.html", **about)
        code = render_template("gallery_code.html", blocks=blocks, removed=removed, added=added, **about)
    page = app.index_string.replace("<main>", bar + "<main>").replace("</main>", "</main>" + code)
    app.index_string = page


def leave_out_later_libraries(app):
    """Have the page load no component library that a later example imports: AG Grid's weighs 1.3 MB."""
    scripts, libraries = app.scripts, list(ComponentRegistry.registry)
    scripts.get_all_scripts = lambda dev_bundles=False: scripts.get_library_scripts(libraries, dev_bundles)


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
