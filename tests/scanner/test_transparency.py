"""What only looks like transparency in a picture file."""

import struct
import zlib

import cv2
import numpy as np

from scanner.decode.cascade import decode
from scanner.decode.pictures import grey_from_bytes
from tests.scanner.test_decode import palette_png


def test_a_header_that_promises_transparency_without_any_is_no_trouble() -> None:
    # What looks like the transparency of a palette is a remark in the file.
    data = palette_png(b"\xff\xff\xff\0\0\0", b"\xff\xff").replace(b"tRNS", b"teXt")
    length = data.index(b"teXt") - 4
    remark = b"teXttRNS"
    chunk = struct.pack(">I", 4) + remark + struct.pack(">I", zlib.crc32(remark))
    whole = data[:length] + chunk + data[length + 14 :]
    picture = cv2.imdecode(np.frombuffer(whole, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert picture.shape[2:] == (3,)
    assert decode(grey_from_bytes(whole))[0].text == "310112345678"
