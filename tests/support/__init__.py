"""Code shared by the tests of several folders: worlds, builders, fakes."""
