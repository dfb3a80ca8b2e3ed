"""All that knows Dash: callbacks, the component, who asks, and how values travel to browsers and back."""
