"""Python imports this at start-up: the rules apply in every process with this folder on its path."""

import aws_rules
import moved_clock

aws_rules.install()
moved_clock.install()
