"""What the measurements compare the project with: the same work by the libraries alone. Run by path, never imported."""
