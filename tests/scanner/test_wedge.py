"""Whatever a USB scanner types becomes a scan or a clear refusal."""

from hypothesis import given
from hypothesis import strategies as st

from scanner.actions import as_scanned, read_code
from scanner.repeats import EqualReads, Repeats
from scanner.wedge import LONGEST_LINE_BYTES, Line, Wedge, lines


def typed(*chunks: bytes) -> list[Line]:
    left = iter(chunks)
    return list(lines(lambda: next(left, b"")))


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"\r\n", b"\t", b"CYL000001", b"]Q1", b"\xff"])))
def test_every_byte_sequence_gives_scans_or_refusals(chunks: list[bytes]) -> None:
    for line in typed(*filter(None, chunks)):
        assert (line.text is None) != (line.refusal is None)
        if line.text is not None:
            read = read_code(line.text)
            assert (read.code is None) != (read.reason is None)


@given(st.binary(max_size=300), st.lists(st.integers(1, 20), min_size=1))
def test_how_the_bytes_are_cut_on_the_way_changes_nothing(data: bytes, sizes: list[int]) -> None:
    chunks: list[bytes] = []
    place = 0
    while place < len(data):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(data[place : place + size])
        place += size
    assert typed(*chunks) == (typed(data) if data else [])


def test_cr_lf_and_tab_end_a_line_and_empty_lines_are_none() -> None:
    assert [line.text for line in typed(b"A\r\nB\tC\n\n\r")] == ["A", "B", "C"]


def test_a_line_cut_off_by_the_end_of_input_is_refused() -> None:
    (line,) = typed(b"CYL0000")
    assert line.text is None
    assert "stopped before the line end" in (line.refusal or "")


def test_bytes_that_are_not_utf_8_are_refused_and_the_next_line_is_read() -> None:
    bad, good = typed("编码123456\r".encode("gb18030") + b"CYL000001\r")
    assert "not UTF-8" in (bad.refusal or "")
    assert good.text == "CYL000001"


def test_a_stream_without_line_ends_takes_no_memory_and_is_refused_once() -> None:
    wedge = Wedge()
    for _ in range(1000):
        assert wedge.feed(b"x" * 1000) == []
        assert len(wedge._begun) <= LONGEST_LINE_BYTES
    refused, good = wedge.feed(b"\nCYL000001\n")
    assert "line end" in (refused.refusal or "")
    assert good.text == "CYL000001"


def test_nul_and_other_control_characters_do_not_reach_an_event_but_gs_does() -> None:
    assert as_scanned("\x00]Q1CYL\x07000001\x1d\u200b") == "]Q1CYL000001\x1d"


def test_a_code_is_one_scan_for_two_seconds() -> None:
    repeats = Repeats()
    assert [repeats.is_repeat("A", at) for at in (0, 1999, 2000, 2001)] == [False, True, False, True]
    assert not repeats.is_repeat("B", 2001)


def test_a_label_held_before_the_camera_stays_one_scan() -> None:
    repeats = Repeats()
    assert [repeats.is_repeat("A", at, still_in_view=True) for at in (0, 1500, 3000, 5000)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_frame_counts_only_after_an_equal_one_shortly_before() -> None:
    equal = EqualReads()
    assert equal.confirmed(["A"], 0) == []
    assert equal.confirmed([], 40) == []
    assert equal.confirmed(["A"], 80) == ["A"]
    assert equal.confirmed(["B"], 120) == []
    assert equal.confirmed(["B"], 500) == []
