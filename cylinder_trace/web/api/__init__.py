"""The API under /api/v1: stations post signed batches, people read what their scope lets them see."""
