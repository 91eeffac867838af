"""Stand-in for IPython."""
