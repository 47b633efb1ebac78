"""Can this person still be recognised? Measures finished files with the tools an adversary would use.

Nothing here takes part in anonymizing: it reads BEFORE and AFTER, and shows or stores pictures of AFTER only.
"""
