"""Loaded by every Python process that has this folder on its PYTHONPATH: the sandbox's functions in tests."""

import aws_rules

aws_rules.install()
