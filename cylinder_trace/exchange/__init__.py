"""Formats that others read: workbooks and papers."""
