def letters(column: int) -> str:
    """What the head of a column says in a spreadsheet program; the first is 0."""
    found = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        found = chr(ord("A") + letter) + found
    return found
