"""The root of all that can be wrong with a message, whoever sent it."""


class ContractError(ValueError):
    """A message that can not be read; its text says what to send instead."""
