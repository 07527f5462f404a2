"""Rules over the system's own health, one file each."""
