"""Runs: one at a time for a catalog, each with its steps, log lines and outcome, kept in the control database."""
