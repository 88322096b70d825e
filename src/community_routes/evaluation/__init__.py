"""Studies scored and compared: the one place where figures of a case, and of how cases differ, are made.

A study and its proposals come in; figures by day and window, their differences and intervals, costs, and the folder of
results of the main job go out.
"""
