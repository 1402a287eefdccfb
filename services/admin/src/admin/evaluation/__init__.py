"""Agents put to the test: labelled cases, what the agents make of them, and a report that can be compared."""
