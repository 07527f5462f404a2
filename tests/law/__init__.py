"""The law room: tables without gaps, lapsed values kept, answers of the day."""
