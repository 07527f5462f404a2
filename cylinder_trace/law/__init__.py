"""What the law says: TOML tables with citations, answered as they stood on a day."""
