"""A night as tables: the sheets of a workbook and the lines of a CSV file. Pure."""
