"""The shop panel over its Admin API v8. ``panel.HttpPanel`` is the port; the rest is the shape of its gates."""
