"""The finished design as plain data, its account, and how a selection is counted out."""
