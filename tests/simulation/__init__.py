"""Random scenarios that run the real code against models of AWS, in which any call may fail. See README.md."""
