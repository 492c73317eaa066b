"""Random scenarios told to the real code over models of AWS, with a fault at any call. See README.md."""
