"""Candidates: what may be bought and built, as numbers; the model chooses among them."""
