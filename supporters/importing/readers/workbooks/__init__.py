"""Opening spreadsheets, in a process of its own.

A workbook may say in a few bytes that its last cell is the last one of the sheet, or repeat one long text in a million cells.
Whoever lays that out in memory ends there and then, and can't be stopped from inside. So it is done where nothing else is lost,
within bounds.
"""
