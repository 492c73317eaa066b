"""Plans, drift and status as text, Markdown and JSON."""
