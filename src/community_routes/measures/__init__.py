"""Travel times and opportunities become scores.

Times of one window and the amounts at the destinations come in; rows of access.csv, of groups and of indices go out.
"""
