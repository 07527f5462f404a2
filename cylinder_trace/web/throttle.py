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


@dataclass
class Throttle:
    """Failed tries by (`account` or `address`, name): how many, and when the last one was."""

    _failed: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def wait_ms(self, account: str, address: str, now_ms: int) -> int:
        """Milliseconds until this account may be tried from this address; 0 is now."""
        with self._lock:
            return max(self._left_ms(key, now_ms) for key in _keys(account, address))

    def failed(self, account: str, address: str, now_ms: int) -> None:
        """Count a wrong password. A name that does not exist counts too, so that it can not be told apart."""
        with self._lock:
            for key in _keys(account, address):
                tries, last_ms = self._failed.pop(key, (0, now_ms))
                self._failed[key] = (1 if now_ms - last_ms > FORGOTTEN_AFTER_MS else tries + 1, now_ms)
            while len(self._failed) > MOST_REMEMBERED:
                del self._failed[next(iter(self._failed))]  # the one not tried for longest

    def succeeded(self, account: str) -> None:
        """Forget an account's failures. The address keeps its own: an attacker may have one good account."""
        with self._lock:
            self._failed.pop(("account", account), None)

    def _left_ms(self, key: tuple[str, str], now_ms: int) -> int:
        tries, last_ms = self._failed.get(key, (0, 0))
        over = tries - FREE_TRIES[key[0]]
        if over < 0 or now_ms - last_ms > FORGOTTEN_AFTER_MS:
            return 0
        wait_ms = min(LONGEST_WAIT_MS[key[0]], 1000 << min(over, 20))
        return max(0, last_ms + wait_ms - now_ms)


def _keys(account: str, address: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("account", account[:64]), ("address", address)
