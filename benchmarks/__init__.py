"""Figures, each measured beside a peer in one run: ./caspers bench [NAME]."""
