"""The door for HTTP: the stations' and regulators' API, and the pages."""
