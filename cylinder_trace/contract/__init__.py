"""What a station and the server have agreed: codes, events, receipts, verdicts and the bytes that are hashed.

Everything a scanning station needs to know of the server is in this room and nothing else is, so that
`pip install cylinder-trace[station]` brings no server. It imports pydantic and biip only.

Errors::

    ContractError
    ├── NotACylinderCode        the text of a label names no cylinder      (contract.code)
    └── Unreadable              a message can not be read                  (contract.reading)
        ├── MalformedEvent      as an event                                (contract.event)
        └── MalformedRecord     as a master record                         (contract.master)
"""
