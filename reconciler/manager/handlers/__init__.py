"""Lambda entry points: parse the event, converge, map the result. Never imported from logic."""
