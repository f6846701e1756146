"""A language model is asked where the rules find that something is stated, and not what: off
unless ``LLM_PROVIDER`` names one.

What it answers counts only with words that stand in the posting, is marked as its own, and is kept
by the content of what it was shown, so that a run over everything finds the same again. It costs no
more than the settings allow, and whatever fails, the run goes on without it.
"""
