"""A design written by hand beside the optimum under the same demand: what differs, and what each choice is worth."""
