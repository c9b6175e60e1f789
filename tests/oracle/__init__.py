"""Brute force: random tiny questions and an exhaustive, exact search for their cheapest design.

Nothing here shares code with the optimiser or the verifier; the rules come from ``docs/rules.md`` alone.
"""
