"""An honest small city from a seed, with planted faults and lawful look-alikes, as contract events and master data.

For demonstration and tests. Nothing that judges may import this room, so no rule can lean on how a fault was made.
"""
