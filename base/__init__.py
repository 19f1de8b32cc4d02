"""What every package stands on, importing none of them.

clock      time as an argument: wall clock, monotonic clock, and waiting
ids        random identifiers
text       script and language of a text, words, character n-grams
writer     group commit: one thread that owns every write of the hot path
reader     a small thread pool for the reads of the hot path
revision   one number that every configuration save bumps
env        the declared list of environment settings, read once
"""
