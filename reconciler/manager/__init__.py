"""The second half: the credential manager, the dead-letter processor and the sweep."""
