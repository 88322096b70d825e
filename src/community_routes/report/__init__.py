"""Results become what people read: pages, maps, pictures, tables for other programs.

Results come in as plain tables with their words; files go out. Nothing here knows a study or searches anything.
"""
