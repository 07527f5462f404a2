"""What people do about alerts, decided from facts alone: when they are told, who is, and what has to follow."""
