class Unreadable(Exception):
    """What is wrong with a workbook, by one of the names in `sheets.PROBLEMS`, and what those words need."""

    def __init__(self, problem: str, **values: object) -> None:
        super().__init__(problem)
        self.problem = problem
        self.values = values
