"""The panel «Stores» in Dash's dev tools: what the caller's session holds, for whoever builds the app.

It exists only where the dev tools are on, as with ``app.run(debug=True)``: else there is no script in the
page, and no callback that would answer. ``page`` puts ``panel.js`` into the page, ``route`` answers it,
``report`` says what the session holds, and ``files`` makes a file of a value.
"""
