"""Rules over a station's or a person's day, one file a rule."""
