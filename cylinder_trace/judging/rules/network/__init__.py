"""Rules over the circulation graph, one file a rule; every finding names the edges that show it."""
