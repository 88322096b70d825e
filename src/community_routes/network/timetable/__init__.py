"""The timetable of a date: a feed comes in, vehicles hop by hop and the changes between them go out."""
