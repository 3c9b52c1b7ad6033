"""Writes openjpeg.txt: `python3 openjpeg.py > openjpeg.txt`, with opj_compress (Debian: libopenjp2-tools) in the path.

The image has one decomposition and one code-block a sub-band. What it is coded from, the coefficients of the 5/3 wavelet (annex F.4.8.1), is
computed here.
"""

import math
import pathlib
import struct
import subprocess
import tempfile

WIDTH, HEIGHT = 40, 36
BANDS = ["LL", "HL", "LH", "HH"]
BYPASS, TERMINATE = 1, 4


def image():
    state = 12345
    for y in range(HEIGHT):
        for x in range(WIDTH):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            wave = int(120 + 70 * math.sin(x / 5) * math.cos(y / 7))
            yield max(0, min(255, wave + (state >> 16 & 31) - 16))


def transformed(line):
    """Low-pass coefficients, then high-pass ones."""
    line, last = line[:], len(line) - 1
    at = lambda i: line[last - abs(last - abs(i))]
    for i in range(1, len(line), 2):
        line[i] -= (at(i - 1) + at(i + 1)) >> 1
    for i in range(0, len(line), 2):
        line[i] += (at(i - 1) + at(i + 1) + 2) >> 2
    return line[0::2] + line[1::2]


def coefficients(pixels):
    rows = [[value - 128 for value in pixels[y * WIDTH : (y + 1) * WIDTH]] for y in range(HEIGHT)]
    columns = [transformed(list(column)) for column in zip(*rows)]
    rows = [transformed(list(row)) for row in zip(*columns)]
    for band, name in enumerate(BANDS):
        x, y = band % 2 * WIDTH // 2, band // 2 * HEIGHT // 2
        yield name, [value for row in rows[y : y + HEIGHT // 2] for value in row[x : x + WIDTH // 2]]


class PacketHeader:
    """Bits of a packet header (B.10.1)."""

    def __init__(self, data, at):
        self.data, self.at, self.left, self.byte = data, at, 0, 0

    def bit(self):
        if self.left == 0:
            self.left = 7 if self.byte == 0xFF else 8
            self.byte = self.data[self.at]
            self.at += 1
        self.left -= 1
        return self.byte >> self.left & 1

    def number(self, bits):
        value = 0
        for _ in range(bits):
            value = value << 1 | self.bit()
        return value

    def ones(self):
        count = 0
        while self.bit():
            count += 1
        return count

    def zeros(self):
        count = 0
        while not self.bit():
            count += 1
        return count

    def passes(self):
        """Table B.4."""
        for bits, first in [(1, 1), (1, 2), (2, 3), (5, 6)]:
            value = self.number(bits)
            if value < (1 << bits) - 1:
                return first + value
        return 37 + self.number(7)

    def end(self):
        return self.at + (self.byte == 0xFF)


def segments(mode, passes):
    """How many passes each segment has (table D.9)."""
    raw = lambda index: mode & BYPASS and index >= 10 and index % 3 != 0
    ends = [i + 1 for i in range(passes) if mode & TERMINATE or bool(raw(i)) != bool(raw(i + 1)) or i + 1 == passes]
    return [end - start for start, end in zip([0] + ends, ends)]


def main_header(data):
    """Magnitude bit-planes of each sub-band (E-2), and where the first packet is."""
    at, planes = 2, None
    while data[at : at + 2] != b"\xff\x93":
        marker, length = struct.unpack(">HH", data[at : at + 4])
        if marker == 0xFF5C:
            guard = data[at + 4] >> 5
            planes = [guard + (value >> 3) - 1 for value in data[at + 5 : at + 2 + length]]
        at += 2 + length
    return dict(zip(BANDS, planes)), at + 2


def packet(data, at, mode, bands, planes):
    """The blocks of a packet, and where the next one is. Each tag tree has one node."""
    header = PacketHeader(data, at)
    assert header.bit() == 1
    found = []
    for band in bands:
        assert header.bit() == 1
        coded = planes[band] - header.zeros()
        passes = segments(mode, header.passes())
        bits = 3 + header.ones()
        found.append((band, coded, [(n, header.number(bits + n.bit_length() - 1)) for n in passes]))
    at, blocks = header.end(), []
    for band, coded, lengths in found:
        words = ["block", band, str(mode), str(coded)]
        for passes, length in lengths:
            words.append(f"{passes}:{data[at : at + length].hex()}")
            at += length
        blocks.append(" ".join(words))
    return blocks, at


def main():
    pixels = list(image())
    print("# Code-blocks that opj_compress 2.5 wrote, and the coefficients of the image that it was given (openjpeg.py).")
    print("# band NAME WIDTH HEIGHT, coefficients; block NAME MODES PLANES, PASSES:BYTES of each segment.")
    for name, values in coefficients(pixels):
        print("band", name, WIDTH // 2, HEIGHT // 2, *values)
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder, "i.pgm"), pathlib.Path(folder, "o.j2k")
        source.write_bytes(b"P5\n%d %d\n255\n" % (WIDTH, HEIGHT) + bytes(pixels))
        for mode in [0, 1, 8, 47, 63]:
            command = ["opj_compress", "-i", source, "-o", target, "-n", "2", "-M", str(mode)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            data = target.read_bytes()
            planes, at = main_header(data)
            for bands in [BANDS[:1], BANDS[1:]]:
                blocks, at = packet(data, at, mode, bands, planes)
                print("\n".join(blocks))


main()
