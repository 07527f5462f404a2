import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest
import segno
import zxingcpp
from numpy.typing import NDArray

from scanner import bench_decode
from scanner.decode import engines
from scanner.decode.belief import believed, is_ghost, overlap
from scanner.decode.cascade import decode
from scanner.decode.engines import Grey, available, read_with_pyzbar, read_with_zxing
from scanner.decode.pictures import WORKING_PIXELS, UnreadablePicture, grey_from_bytes, load_grey
from scanner.decode.preparing import raw, turned
from scanner.decode.reading import Reading
from scanner.decode.steps import STEPS, Step

KIT = bench_decode.DEFAULT_KIT
FORMATS = {
    "QR": zxingcpp.BarcodeFormat.QRCode,
    "DM": zxingcpp.BarcodeFormat.DataMatrix,
    "C128": zxingcpp.BarcodeFormat.Code128,
    "EAN13": zxingcpp.BarcodeFormat.EAN13,
}
TEXTS = {
    "QR": "https://q.example/c/310112345678",
    "DM": "310112345678",
    "C128": "GP31-0042",
    "EAN13": "6901234567892",
}
without_zbar = pytest.mark.skipif(
    any(engine.problem for engine in available()), reason="libzbar0 is not installed (apt install libzbar0)"
)


def label(symbology: str, content: str | bytes, scale: int = 4, *, gs1: bool = False) -> Grey:
    code = zxingcpp.create_barcode(content, FORMATS[symbology], **({"gs1": True} if gs1 else {}))
    return np.pad(np.array(code.to_image(scale=scale)), 60, constant_values=235)


def rotated(image: Grey, degrees: float) -> Grey:
    return turned(degrees)(image).image  # type: ignore[union-attr]


def clipping(image: Grey, gain: float, offset: float) -> Grey:
    return np.asarray(np.clip(image * gain + offset, 0, 255), np.uint8)


SPOILED: dict[str, Callable[[Grey], NDArray[np.generic]]] = {
    "as printed": lambda image: image,
    "turned by 20 degrees": lambda image: rotated(image, 20),
    "turned by 90 degrees": lambda image: np.ascontiguousarray(np.rot90(image)),
    "out of focus": lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), 2.0), np.uint8),
    "dark": lambda image: clipping(image, 0.1, 4),
    "light on dark": lambda image: 255 - image,
    "half in shadow": lambda image: (
        clipping(image, 1, 0) * np.linspace(0.15, 1, image.shape[1], dtype=np.float32)[None]
    ),
}


@pytest.mark.parametrize("symbology", FORMATS)
@pytest.mark.parametrize("spoiled", SPOILED)
def test_a_label_is_read_however_it_was_photographed(symbology: str, spoiled: str) -> None:
    image = np.asarray(SPOILED[spoiled](label(symbology, TEXTS[symbology])), np.uint8)
    found = decode(image, deadline_ms=2000)
    assert [(reading.symbology, reading.text) for reading in found] == [(symbology, TEXTS[symbology])]


def test_the_polygon_lies_on_the_code_whatever_step_read_it() -> None:
    image = np.full((600, 800), 220, np.uint8)
    code = label("DM", TEXTS["DM"])[40:-40, 40:-40]
    image[300 : 300 + code.shape[0], 500 : 500 + code.shape[1]] = code
    for step in STEPS:
        for reading in decode(image, steps=[step], deadline_ms=2000):
            xs, ys = zip(*reading.polygon, strict=True)
            assert 500 <= min(xs) < max(xs) <= 500 + code.shape[1], reading
            assert 300 <= min(ys) < max(ys) <= 300 + code.shape[0], reading


def test_two_different_labels_in_one_picture_are_both_read() -> None:
    one, two = label("QR", "310112345678"), label("QR", "310112345679")
    found = decode(np.hstack([one, two]))
    assert {reading.text for reading in found} == {"310112345678", "310112345679"}


@pytest.mark.parametrize("seed", range(3))
def test_no_code_is_read_in_noise(seed: int) -> None:
    random = np.random.default_rng(seed)
    noise = random.integers(0, 256, (200, 260), dtype=np.uint8)
    stripes = np.repeat(random.integers(0, 256, (1, 260), dtype=np.uint8), 200, axis=0)
    for image in (noise, cv2.GaussianBlur(noise, (0, 0), 2), stripes):
        assert decode(np.asarray(image, np.uint8), deadline_ms=3000) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (7, 7), (8, 3000)])
def test_a_picture_too_small_for_a_code_is_simply_empty(shape: tuple[int, int]) -> None:
    assert decode(np.full(shape, 128, np.uint8)) == []


@pytest.mark.parametrize("symbology", ["QR", "DM", "C128"])
def test_gs1_content_keeps_its_group_separator_and_tells_its_aim_identifier(symbology: str) -> None:
    (reading,) = decode(label(symbology, "(8004)3101ABC(21)42", gs1=True))
    assert reading.text == "80043101ABC\x1d2142"
    assert reading.aim == {"QR": "]Q3", "DM": "]d2", "C128": "]C1"}[symbology]


@pytest.mark.parametrize("symbology", ["QR", "DM"])
def test_bytes_that_are_no_text_come_back_byte_for_byte(symbology: str) -> None:
    content = b"\xff\xd6\x00\x80A"
    (reading,) = decode(label(symbology, content))
    assert reading.text.encode("latin-1") == content


@pytest.mark.parametrize("symbology", ["QR", "DM"])
def test_utf8_that_the_code_declares_as_mere_bytes_is_text(symbology: str) -> None:
    (reading,) = decode(label(symbology, "气瓶 31000001".encode()))
    assert reading.text == "气瓶 31000001"


@without_zbar
@pytest.mark.parametrize("text", ["气瓶 31000001", "Größe 7"])
def test_text_beyond_ascii_is_read_and_never_taken_from_zbar_alone(text: str) -> None:
    matrix = np.array([list(row) for row in segno.make(text, encoding="utf-8", eci=False).matrix], np.uint8)
    image = np.asarray(np.kron(np.pad(1 - matrix, 6, constant_values=1), np.full((5, 5), 255)), np.uint8)
    assert [reading.text for reading in decode(image)] == [text]
    assert decode(image, steps=[step for step in STEPS if step.engine is read_with_pyzbar]) == []


def ticking(ms: int) -> Iterator[float]:
    return (tick * ms / 1000 for tick in count())


def test_no_step_starts_after_the_deadline() -> None:
    started: list[str] = []

    def noted(name: str) -> Step:
        def blind(image: Grey, symbologies: object, *, step: str) -> list[Reading]:
            started.append(step)
            return []

        return Step(name, raw, blind)

    clock = ticking(10)  # every look at the clock takes 10 ms: one at the call, one before each step
    decode(
        label("QR", "1"), steps=[noted(str(n)) for n in range(9)], deadline_ms=35, clock=lambda: next(clock)
    )
    assert started == ["0", "1", "2"]


def test_a_second_look_does_not_start_after_the_deadline_either() -> None:
    clock = iter([0.0, 0.0, *[1.0] * 99])
    image = label("C128", TEXTS["C128"])
    assert decode(image, deadline_ms=15, clock=lambda: next(clock)) == []
    assert decode(image, deadline_ms=15, clock=lambda: 0.0)[0].text == TEXTS["C128"]


def square(left: int, side: int = 100) -> tuple[tuple[int, int], ...]:
    return (left, 0), (left + side, 0), (left + side, side), (left, side)


def told(
    symbology: str, text: str, step: str, polygon: tuple[tuple[int, int], ...], decoder: str = "zxing"
) -> Reading:
    return Reading(text, symbology, decoder, step, polygon, None)


def test_codes_that_overlap_and_disagree_in_one_step_are_refused_and_others_are_not() -> None:
    readings = [
        told("QR", "A", "raw", square(0)),
        told("QR", "B", "raw", square(50)),
        told("QR", "C", "raw", square(300)),
    ]
    step = Step("raw", raw, lambda *_, **__: readings)
    assert [reading.text for reading in decode(np.zeros((120, 420), np.uint8), steps=[step])] == ["C"]


def test_a_bar_code_needs_two_steps_and_both_engines_once_something_else_was_read_there() -> None:
    once = told("EAN13", "1", "raw", square(0))
    again = told("EAN13", "1", "flat", square(2))
    other = told("EAN13", "2", "gamma", square(1))
    zbar = told("EAN13", "1", "zbar raw", square(0), "pyzbar")
    assert not believed(once, [once])
    assert not believed(once, [once, once])
    assert believed(once, [once, again])
    assert not believed(once, [once, again, other])
    assert believed(once, [once, zbar, other])
    assert not believed(once, [once, again, zbar, told("EAN13", "3", "raw", square(9))])


def test_a_matrix_code_counts_on_zxings_word_and_on_zbars_only_with_a_second_one() -> None:
    zbar = told("QR", "A", "zbar raw", square(0), "pyzbar")
    assert believed(told("QR", "A", "raw", square(0)), [])
    assert not believed(zbar, [zbar])
    assert believed(zbar, [zbar, told("QR", "A", "zbar half", square(0), "pyzbar")])
    guessed = [told("QR", "蹬", name, square(0), "pyzbar") for name in ("zbar raw", "zbar half")]
    assert not believed(guessed[0], guessed)


def test_a_ghost_without_size_is_dropped() -> None:
    point, line = ((5, 5),), ((0, 5), (90, 5))
    assert is_ghost(told("C128", "A", "raw", ()))
    assert is_ghost(told("C128", "A", "raw", point))
    assert is_ghost(told("QR", "A", "raw", line))
    assert not is_ghost(told("C128", "A", "raw", line))
    ghosts = Step("raw", raw, lambda *_, **__: [told("QR", "A", "raw", point)])
    assert decode(np.zeros((99, 99), np.uint8), steps=[ghosts]) == []


def test_scan_lines_of_one_bar_code_overlap_and_far_ones_do_not() -> None:
    line = told("C128", "A", "raw", ((0, 100), (200, 100)))
    assert overlap(line, told("C128", "B", "raw", ((0, 130), (200, 130))))
    assert not overlap(line, told("C128", "B", "raw", ((0, 160), (200, 160))))


def test_a_refused_reading_lets_the_search_go_on() -> None:
    image = label("QR", "310112345678")
    asked: list[str] = []

    def second_time(reading: Reading) -> bool:
        asked.append(reading.step)
        return len(asked) > 1

    assert decode(image, accept=second_time)[0].step == asked[1] != asked[0] == "raw"
    assert decode(label("QR", "  "), deadline_ms=500) == []


def test_only_the_symbologies_asked_for_are_read() -> None:
    assert decode(label("QR", "A1"), symbologies=["DM", "C128"], deadline_ms=500) == []
    with pytest.raises(ValueError, match=r"unknown symbology 'QRCODE'.*QR, DM"):
        decode(label("QR", "A1"), symbologies=["QRCODE"])


@without_zbar
def test_both_engines_name_symbologies_alike() -> None:
    for symbology in ("QR", "C128", "EAN13"):
        image = label(symbology, TEXTS[symbology])
        (one,), (two,) = read_with_zxing(image), read_with_pyzbar(image)
        assert (one.symbology, one.text) == (two.symbology, two.text) == (symbology, TEXTS[symbology])
    assert read_with_pyzbar(label("DM", "A1")) == []


def test_without_libzbar_it_is_said_and_zxing_reads_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.util.find_library", lambda _: None)
    for module in [name for name in sys.modules if name.split(".")[0] == "pyzbar"]:
        monkeypatch.delitem(sys.modules, module)
    engines._pyzbar.cache_clear()
    try:
        with pytest.raises(engines.DecoderMissing, match="apt install libzbar0"):
            read_with_pyzbar(label("QR", "A1"))
        assert {engine.name: engine.problem is None for engine in available()} == {
            "zxing": True,
            "pyzbar": False,
        }
        for symbology, text in TEXTS.items():
            assert decode(label(symbology, text))[0].text == text
        assert decode(np.full((99, 99), 200, np.uint8)) == []
    finally:
        engines._pyzbar.cache_clear()


def encoded(kind: str, image: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(kind, image)[1].tobytes()


@pytest.mark.parametrize("kind", [".png", ".jpg", ".webp", ".bmp"])
def test_a_picture_under_a_chinese_name_is_loaded_and_a_cut_off_one_refused(
    kind: str, tmp_path: Path
) -> None:
    image = label("QR", "310112345678")
    path = tmp_path / f"气瓶标签{kind}"
    path.write_bytes(encoded(kind, image))
    assert load_grey(path).shape == image.shape
    assert decode(load_grey(path))[0].text == "310112345678"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UnreadablePicture, match=r"气瓶标签.*cut off"):
        load_grey(path)


@pytest.mark.parametrize(
    "data", [b"", b"BM", b"\xff\xd8\xff", b"GIF89a...", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n\0\0", b"{}" * 99]
)
def test_what_is_no_picture_is_refused_with_a_clear_word(data: bytes) -> None:
    with pytest.raises(
        UnreadablePicture, match=r"posted frame: (not a picture|the file is empty)\. Take the picture"
    ):
        grey_from_bytes(data, name="posted frame")


def test_every_beginning_and_every_spoiled_byte_of_a_picture_is_a_picture_or_a_clear_refusal() -> None:
    random = np.random.default_rng(1)
    for kind in (".png", ".jpg", ".webp", ".bmp"):
        data = encoded(kind, label("QR", "1", scale=1))
        spoiled = [data[: int(end)] for end in np.linspace(0, len(data) - 1, 40)]
        for at in random.integers(0, min(len(data), 400), 60):
            broken = bytearray(data)
            broken[at] ^= 0xFF
            spoiled.append(bytes(broken))
        for one in spoiled:
            try:
                assert grey_from_bytes(one).ndim == 2
            except UnreadablePicture as refusal:
                assert refusal.reason


def test_an_absurd_size_is_refused_before_memory_is_taken() -> None:
    data = bytearray(encoded(".png", label("QR", "1")))
    data[16:24] = (50_000).to_bytes(4, "big") * 2
    with pytest.raises(UnreadablePicture, match=r"50000 x 50000 pixels, the limit is 100,000,000"):
        grey_from_bytes(bytes(data))


def test_a_huge_picture_is_reduced_and_still_read() -> None:
    image = np.full((4200, 4000), 230, np.uint8)
    code = label("QR", "310112345678", scale=20)
    image[500 : 500 + code.shape[0], 700 : 700 + code.shape[1]] = code
    loaded = grey_from_bytes(encoded(".jpg", image))
    assert loaded.size <= WORKING_PIXELS * 1.001
    assert decode(loaded, deadline_ms=2000)[0].text == "310112345678"


def test_the_rotation_noted_by_a_phone_is_undone() -> None:
    data = encoded(".jpg", label("C128", "GP31-0042"))
    height, width = label("C128", "GP31-0042").shape
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    rotated_by_note = data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]
    assert grey_from_bytes(data).shape == (height, width)
    assert grey_from_bytes(rotated_by_note).shape == (width, height)


def drawn_on_nothing() -> NDArray[np.uint8]:
    grey = label("QR", "310112345678")
    return np.dstack([np.zeros_like(grey)] * 3 + [255 - grey])


def webp(quality: int) -> bytes:
    return cv2.imencode(".webp", drawn_on_nothing(), [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()


def palette_png(colours: bytes, opacities: bytes) -> bytes:
    """The label in two palette colours, the first for what is white on it."""
    indices = (label("QR", "310112345678") < 128).astype(np.uint8)
    height, width = indices.shape
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0),
        b"PLTE": colours,
        b"tRNS": opacities,
        b"IDAT": zlib.compress(b"".join(b"\0" + row.tobytes() for row in indices)),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks.items()
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encoded(".png", drawn_on_nothing()), id="png"),
        pytest.param(palette_png(bytes(6), b"\0\xff"), id="png with a palette"),
        pytest.param(webp(80), id="webp"),
        pytest.param(webp(101), id="lossless webp"),
    ],
)
def test_modules_drawn_on_nothing_are_seen_as_on_white(data: bytes) -> None:
    assert decode(grey_from_bytes(data))[0].text == "310112345678"


def test_the_decoder_alone_does_not_load_pyzbar_or_anything_of_the_server() -> None:
    code = "import sys, scanner.decode.cascade; print([m for m in sys.modules if m in ('pyzbar', 'flask', 'sqlalchemy')])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


@without_zbar
@pytest.mark.skipif(not (KIT / "index.csv").is_file(), reason=f"the kit of photographs is not at {KIT}")
def test_on_photographs_the_cascade_reads_at_least_what_each_engine_alone_reads_and_invents_nothing() -> None:
    rows = {(row.way, row.symbology): row for row in bench_decode.measure(KIT)}
    for symbology in ("QR", "DM", "C128", "EAN", "all"):
        ours = rows["cascade 150 ms", symbology]
        assert ours.read >= max(rows[way, symbology].read for way in ("pyzbar", "zxing-cpp", "both")), (
            symbology
        )
        assert ours.wrong == 0, symbology
    assert rows["cascade 60 ms", "NONE"].wrong == rows["cascade 150 ms", "NONE"].wrong == 0
    assert rows["cascade 150 ms", "all"].rate >= 0.93
