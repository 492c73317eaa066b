"""The first half, pure: diff, safety limits, plan, wording, audit."""
