"""A local AWS on this machine, with the real Lambda zip deployed on it."""
