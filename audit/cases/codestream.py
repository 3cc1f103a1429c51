"""What a compressed frame says of itself, to hold it against the DICOM header."""

from __future__ import annotations

from dataclasses import dataclass

SOF = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7}
ALONE = {0x01, *range(0xD0, 0xD9)}


@dataclass(frozen=True, slots=True)
class Frame:
    """Precision in bits, rows, columns and components of a compressed frame."""

    precision: int
    rows: int
    columns: int
    components: int


def jpeg_frame(data: bytes) -> Frame | None:
    """The frame header of a JPEG or JPEG-LS stream (ITU-T T.81 B.2.2, T.87 C.2.2), or None."""
    place = 2
    if data[:2] != b"\xff\xd8":
        return None
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            return None
        marker = data[place + 1]
        if marker == 0xFF or marker in ALONE:
            place += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        if marker in SOF:
            head = data[place + 4 : place + 10]
            if len(head) < 6:
                return None
            rows, columns = int.from_bytes(head[1:3], "big"), int.from_bytes(head[3:5], "big")
            return Frame(head[0], rows, columns, head[5])
        if marker == 0xDA or length < 2:
            return None
        place += 2 + length
    return None
