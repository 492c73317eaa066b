"""The commands: one file each, and the only place that knows click's commands."""
