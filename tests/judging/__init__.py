"""Tests of judging: from facts alone."""
