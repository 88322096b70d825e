"""One figure of a study, asked of one idea after another: what an editor of proposals and a search for good ones stand on.

A study comes in, and proposals or cases one at a time; the figure of every neighbourhood and group, who gains and who loses,
and what it costs go out, equal to what ``evaluate`` and ``compare`` say.
"""
