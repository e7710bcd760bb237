"""What can be wrong with a file or a row, in words for staff."""


class FileProblem(Exception):
    """The file as a whole can't be read; nothing of it went in."""

    def __init__(self, for_staff: str) -> None:
        super().__init__(str(for_staff))
        self.for_staff = for_staff


class RowProblem(ValueError):
    """One row can't go in."""


class NotTaken(Exception):
    """A row that is right, but none of ours: a withdrawal in a report of payments. It is counted, not listed."""
