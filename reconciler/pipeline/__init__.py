"""What is deployed: names, functions, mapping, and the zip."""
