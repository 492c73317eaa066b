"""`make bench`: measures time, memory and AWS calls, and writes docs/performance.md."""
