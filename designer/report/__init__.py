"""What a user gets: one screen to act on, and a run folder with ``result.json``."""
