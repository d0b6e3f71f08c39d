"""A small interpreter that starts measured processes in place of this one, and what does so where there is none."""
