"""Letters to one person because of what they did. supporters.letters says what is owed; here are the words and the sending.

One module for each kind of letter.
"""

from campaigns.letters.sending import tick, work

__all__ = ["tick", "work"]
