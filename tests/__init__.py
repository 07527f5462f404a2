"""Tests: promises kept to others, on real databases, real mail and real pictures."""
