"""The side effects of the first half: observe, plan, check, apply, wait."""
