"""Frames that are posted: refused by their header, reduced before they are decoded, and never decoded all at once."""

import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
import segno

from cylinder_trace.web.pages import operator
from scanner.decode.engines import Grey
from scanner.decode.picture_format import header_of
from scanner.decode.pictures import OF_A_FRAME, PictureTooLarge, grey_from_bytes
from tests.web.conftest import SignIn
from tests.world import code


def png(width: int, height: int, depth: int = 8, colour: int = 6) -> bytes:
    """A PNG of nothing; without its rows, which nobody may get to."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def label(side: int) -> bytes:
    modules = np.array([list(row) for row in segno.make(code(1), error="m").matrix_iter(scale=8, border=4)])
    image = np.full((side, side), 255, np.uint8)
    image[: modules.shape[0], : modules.shape[1]] = np.where(modules, 0, 255)
    return cv2.imencode(".png", image)[1].tobytes()


@pytest.mark.parametrize(
    "frame",
    [png(6000, 6000), png(640, 480, depth=16), png(3841, 2161, colour=0)],
    ids=["huge", "deep", "over"],
)
def test_a_frame_that_is_too_large_is_refused_before_it_is_decoded(
    signed_in: SignIn, monkeypatch: pytest.MonkeyPatch, frame: bytes
) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("memory was taken for it"))
    answer = signed_in("op-1").post("/scan/frame", data=frame)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "picture_too_large")
    assert "每通道 8 位" in answer.get_json()["zh"]
    assert "3840 x 2160" in answer.get_json()["en"]


def test_a_jpeg_of_twelve_bits_is_refused_by_its_header() -> None:
    jpeg = bytearray(cv2.imencode(".jpg", np.zeros((64, 64), np.uint8))[1].tobytes())
    jpeg[jpeg.index(b"\xff\xc0") + 4] = 12
    with pytest.raises(PictureTooLarge):
        grey_from_bytes(bytes(jpeg), limits=OF_A_FRAME)


def test_a_png_whose_size_is_not_told_first_is_no_picture() -> None:
    """A chunk before the header could tell another size than the decoder finds."""
    whole = label(400)
    early = whole[:8] + struct.pack(">I", 13) + b"teXt" + whole[16:29] + b"\0\0\0\0" + whole[8:]
    assert header_of(whole) is not None
    assert header_of(early) is None


def test_a_large_frame_is_reduced_before_it_is_decoded(
    signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert grey_from_bytes(label(2800)).shape == (2800, 2800)  # a file on disk keeps its size
    assert grey_from_bytes(label(2800), limits=OF_A_FRAME).shape == (1600, 1600)
    answer = signed_in("op-1").post("/scan/frame", data=label(2800)).get_json()
    assert [one["code"] for one in answer["codes"]] == [code(1)]
    sizes: list[tuple[int, ...]] = []

    def seen(image: Grey, **_: object) -> list[object]:
        sizes.append(image.shape)
        return []

    monkeypatch.setattr("scanner.decode.cascade.decode", seen)
    signed_in("op-1").post("/scan/frame", data=label(2800))
    assert sizes == [(1600, 1600)]


def test_transparency_is_as_white_in_bands_as_in_one() -> None:
    random = np.random.default_rng(3)
    image = random.integers(0, 256, (700, 50, 4), np.uint8)
    whole = grey_from_bytes(cv2.imencode(".png", image)[1].tobytes())
    part = grey_from_bytes(cv2.imencode(".png", image[500:])[1].tobytes())
    assert np.array_equal(whole[500:], part)


def test_no_more_than_two_frames_are_decoded_at_once(
    signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (signed_in("op-1") for _ in range(3))
    answers: list[Any] = []

    def while_under_way(_data: bytes) -> list[object]:
        # Each asks for the next while it is itself decoded.
        if waiting := next(others, None):
            answers.append(waiting.post("/scan/frame", data=label(400)))
        return []

    others = iter([second, third])
    monkeypatch.setattr(operator, "_read_frame", while_under_way)
    assert first.post("/scan/frame", data=label(400)).status_code == 200
    assert [answer.status_code for answer in answers] == [503, 200]
    refused = answers[0]
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.get_json()["zh"] == "识别繁忙，请稍后重试。"
    # Whatever the end of a frame was, its place is free again.
    monkeypatch.undo()
    for _ in range(operator.MOST_DECODING + 1):
        assert first.post("/scan/frame", data=b"no picture").status_code == 400
        assert first.post("/scan/frame", data=label(400)).status_code == 200
