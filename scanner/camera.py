"""Frames of a camera, a stream or a video file, grey; of a live source always the newest."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]

_FRAME_LIMIT_S = 10.0
"""A camera that gives no frame for so long is gone; the slowest webcam seen needs 3 s for its first."""
_ASSUMED_FPS = 25.0


class CameraUnavailable(Exception):
    """The source gives no frames; the message says what to check."""

    def __init__(self, source: str, fact: str) -> None:
        self.source = source
        super().__init__(
            f"{source}: {fact}. Check that the camera is plugged in and used by no other program, or the"
            " file or address given to --source"
        )


def frames(source: str, *, now_ms: Callable[[], int]) -> Iterator[tuple[Frame, int]]:
    """Pairs of a (height, width) grey frame and its time in ms, until the source ends.

    A number is a camera, an existing path a video file, anything else a stream's address. Of a file every frame
    comes, with its time in the film; of a live source the newest, with `now_ms()`. Raises CameraUnavailable.
    """
    if Path(source).is_file():
        yield from _film(source)
        return
    latest = LatestFrame(source)
    try:
        while (frame := latest.take()) is not None:
            yield frame, now_ms()
    finally:
        latest.close()


class LatestFrame:
    """Reads a live source in a thread and keeps the newest frame only, so that a slow reader never lags."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._capture = _opened(source)
        # Uncompressed 1280x720 does not fit through USB 2 at full rate; drivers that can not do this ignore it.
        self._capture.set(cv2.CAP_PROP_FOURCC, float(cv2.VideoWriter.fourcc(*"MJPG")))
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, 1280)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, 720)
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def take(self) -> Frame | None:
        """The newest frame that was not taken yet, waiting for one; None when the source has ended.

        Raises CameraUnavailable after ten seconds without a frame.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._newest is not None or self._ended, _FRAME_LIMIT_S):
                raise CameraUnavailable(self._source, f"no frame for {_FRAME_LIMIT_S:.0f} s")
            frame, self._newest = self._newest, None
            return frame

    def close(self) -> None:
        """Stop reading."""
        with self._changed:
            self._ended = True
        self._thread.join(timeout=2)
        if not self._thread.is_alive():
            self._capture.release()

    def _run(self) -> None:
        while not self._ended:
            there, frame = self._capture.read()
            with self._changed:
                if there:
                    self._newest = _grey(frame)
                else:
                    self._ended = True
                self._changed.notify_all()


def _film(source: str) -> Iterator[tuple[Frame, int]]:
    capture = _opened(source)
    try:
        rate = capture.get(cv2.CAP_PROP_FPS) or _ASSUMED_FPS
        number = 0
        while True:
            there, frame = capture.read()
            if not there:
                break
            yield _grey(frame), round(number * 1000 / rate)
            number += 1
    finally:
        capture.release()
    if not number:
        raise CameraUnavailable(source, "the file has no frame that can be read")


def _opened(source: str) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(int(source)) if source.isdecimal() else cv2.VideoCapture(source)
    if not capture.isOpened():
        capture.release()
        raise CameraUnavailable(source, "can not be opened")
    return capture


def _grey(frame: NDArray[np.integer[Any] | np.floating[Any]]) -> Frame:
    return np.asarray(frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)
