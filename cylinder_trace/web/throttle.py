"""Who tries passwords waits longer and longer.

Kept in this process's memory, for each account and for each address: a restart forgets it, and a second server
process counts for itself. Behind a proxy all visitors share the proxy's address, so the address is given more
tries and a shorter wait than the account.
"""

from dataclasses import dataclass, field
from threading import Lock

FREE_TRIES = {"account": 5, "address": 30}
LONGEST_WAIT_MS = {"account": 15 * 60_000, "address": 60_000}
FORGOTTEN_AFTER_MS = 60 * 60_000
MOST_REMEMBERED = 20_000
_LONGEST_NAME = 64


@dataclass
class Throttle:
    """Tries by (`account` or `address`, name) that have not succeeded: how many, and when the last one began."""

    _tries: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def begin(self, account: str, address: str, now_ms: int) -> int:
        """Begin a try, unless it has to wait: gives the milliseconds until it may be made, 0 where it has begun.

        It counts from here on, before anybody knows whether it fails: tries sent all at once would pass together.
        A name that does not exist counts too, so that it can not be told apart.
        """
        with self._lock:
            if wait_ms := self._wait_ms(account, address, now_ms):
                return wait_ms
            for key in _keys(account, address):
                tries, last_ms = self._tries.pop(key, (0, now_ms))
                self._tries[key] = (1 if now_ms - last_ms > FORGOTTEN_AFTER_MS else tries + 1, now_ms)
            while len(self._tries) > MOST_REMEMBERED:
                del self._tries[next(iter(self._tries))]  # the one not tried for longest
            return 0

    def wait_ms(self, account: str, address: str, now_ms: int) -> int:
        """Milliseconds until this account may be tried from this address; 0 is now."""
        with self._lock:
            return self._wait_ms(account, address, now_ms)

    def succeeded(self, account: str, address: str) -> None:
        """Forget an account's tries, and of the address's this one only: an attacker may have one good account."""
        self.undo(account, address)
        with self._lock:
            self._tries.pop(("account", account[:_LONGEST_NAME]), None)

    def undo(self, account: str, address: str) -> None:
        """A try that told nothing about the password does not count."""
        with self._lock:
            for key in _keys(account, address):
                tries, last_ms = self._tries.get(key, (0, 0))
                if tries > 1:
                    self._tries[key] = (tries - 1, last_ms)
                else:
                    self._tries.pop(key, None)

    def _wait_ms(self, account: str, address: str, now_ms: int) -> int:
        return max(self._left_ms(key, now_ms) for key in _keys(account, address))

    def _left_ms(self, key: tuple[str, str], now_ms: int) -> int:
        tries, last_ms = self._tries.get(key, (0, 0))
        over = tries - FREE_TRIES[key[0]]
        if over < 0 or now_ms - last_ms > FORGOTTEN_AFTER_MS:
            return 0
        wait_ms = min(LONGEST_WAIT_MS[key[0]], 1000 << min(over, 20))
        return max(0, last_ms + wait_ms - now_ms)


def _keys(account: str, address: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("account", account[:_LONGEST_NAME]), ("address", address)
