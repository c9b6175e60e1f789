"""Pyomo model -> arrays -> HiGHS -> answer, and why there is none."""
