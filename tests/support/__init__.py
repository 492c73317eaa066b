"""What the tests of several folders share: worlds, builders, stand-ins."""
