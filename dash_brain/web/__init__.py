"""All that knows Dash: callbacks, the component, sessions, and the exchange of values for tokens."""
