"""YAML with positions, JSON Schema, environments."""
