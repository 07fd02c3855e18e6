"""The laboratory: commands that make weights. Nothing on the way of a clip imports it."""
