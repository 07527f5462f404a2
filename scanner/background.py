"""Uploading beside the scanning: a thread that sends what waits and never stands in a scan's way."""

import logging
import random
import threading

from scanner.upload import Uploader, wait_s

_LOG = logging.getLogger(__name__)


class BackgroundUpload:
    """Sends what waits as soon as it is told of a scan; after a failure it waits longer and longer, up to 60 s."""

    def __init__(self, uploader: Uploader) -> None:
        self._uploader = uploader
        self._stopping = threading.Event()
        self._scanned = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upload", daemon=True)
        self._thread.start()

    def tell(self) -> None:
        """There is something new in the outbox."""
        self._scanned.set()

    def stop(self) -> None:
        """Wait for the request under way, then end. What still waits stays in the outbox."""
        self._stopping.set()
        self._scanned.set()
        self._thread.join()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            # Cleared before looking, so that a scan during the request is not missed.
            self._scanned.clear()
            try:
                progress = self._uploader.send_some()
            except Exception:
                # The one broad catch: whatever happens to the upload, scanning goes on and it is tried again.
                _LOG.exception("upload failed; it is tried again")
                failures += 1
                self._stopping.wait(wait_s(failures, None, random.random()))
                continue
            if progress is None:
                failures = 0
                # Asked again after the clearing above, which may have wiped out what `stop` has set.
                if not self._stopping.is_set():
                    self._scanned.wait()
            elif progress.problem is None:
                failures = 0
            elif not progress.smaller_next:
                failures += 1
                self._stopping.wait(wait_s(failures, progress.retry_after_s, random.random()))
