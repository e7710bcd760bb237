"""Two records of one person made into one, and two again.

    two records ──merge──▶ one, and a Merge that says how to go back ──undo──▶ two records

A merge is one transaction. Of each table that points at supporters its app says in a module `moves` what becomes of the rows
(declaring); what there can only be one of is decided by rules and kept (choosing, consents). The row of the record merged
away is deleted; supporters.finding leads whoever still knows it to the survivor.
"""

from supporters.merging.choosing import Choice, fields, survivor_of
from supporters.merging.joining import CannotMerge, merge
from supporters.merging.parting import CannotUndo, undo

__all__ = ["CannotMerge", "CannotUndo", "Choice", "fields", "merge", "survivor_of", "undo"]
