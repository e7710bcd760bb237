"""What partners have here: a login to their own figures and to the people who allowed them to write.

members  who may log in, and how they come to a password
door     logging in, and whose page a request is for
figures  signatures through the partner's links, as sums
people   who allowed the partner to write, whom it got in files, and who of them left
listing  the files that a partner may have made
views    the pages, below /partners/
"""
