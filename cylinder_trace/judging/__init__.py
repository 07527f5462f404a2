"""What we make of the ledger: stories, findings, alerts and verdicts, from facts alone.

Nothing in this room asks the clock, the database or the network. Time is whole milliseconds since 1970 UTC
(`_ms`) or a proleptic day number in Shanghai (`_day`), masses are grams, pressures kilopascals.
"""
