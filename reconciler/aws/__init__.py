"""Adapters to AWS; AWS's errors are translated here."""
