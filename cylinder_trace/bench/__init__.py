"""Measuring ourselves: judging from memory, replays, and what an event or a sweep costs in a small and in a large ledger."""
