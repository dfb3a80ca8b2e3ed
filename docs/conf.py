"""How Sphinx makes the site of these pages: ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_site")]

from dash_brain import __version__  # noqa: E402

project = "dash_brain"
version = release = __version__
copyright = "the authors of dash_brain"
root_doc = "index"
exclude_patterns = ["_build", "_site", "_static"]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    # Of our own, in _site:
    "navigation",
    "options_of_configure",
    "llms_txt",
    "searched",
]

# GitHub's anchors of headings, so that the same links work there and here.
myst_heading_anchors = 3
myst_links_external_new_tab = True

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True  # time.time, and not <built-in function time>
autodoc_typehints = "none"  # docstrings say what an argument is, in words
napoleon_google_docstring = False
napoleon_use_rtype = False

# Names of other libraries are not looked up: that would need the network. Modules themselves have no page.
nitpick_ignore_regex = [("py:.*", r"(?!dash_brain).*"), ("py:mod", ".*")]

highlight_language = "text"
pygments_style = "friendly"
pygments_dark_style = "github-dark"

html_theme = "furo"
html_title = "dash_brain"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_domain_indices = False  # of modules, of which most have no page
html_favicon = "_static/favicon.svg"
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#1f6f5c",
        "color-brand-content": "#1f6f5c",
        "color-code-comment": "#4a6d77",
        "color-code-output": "#5a5c63",
        "color-line-gone": "#9c1c12",
        "color-line-gone-ground": "#fbe6e4",
        "color-line-new": "#14602f",
        "color-line-new-ground": "#dff2e4",
        "image-filter": "none",
    },
    "dark_css_variables": {
        "color-brand-primary": "#7fd0b8",
        "color-brand-content": "#7fd0b8",
        "color-code-comment": "#9aa7b3",
        "color-code-output": "#a9b3bd",
        "color-line-gone": "#ffb3ab",
        "color-line-gone-ground": "#3d1513",
        "color-line-new": "#8fe3ae",
        "color-line-new-ground": "#0f2f1b",
        "image-filter": "brightness(0.9)",
    },
}

copybutton_exclude = ".linenos, .gp, .go"
