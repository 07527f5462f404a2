"""The words of the pages, by subject; each is (Chinese, English)."""
