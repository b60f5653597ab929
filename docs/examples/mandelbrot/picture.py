"""The Mandelbrot set as a PNG of blocks that are computed apart: geometry, escape time, and the file format.

A block is some neighbouring rows, already compressed: a piece of one deflate stream that ends on a byte boundary, so
that the finished file is nothing but the blocks in their order between a header and a checksum. Nothing here touches
the file system.
"""

import math
import struct
import zlib

LIMIT = 300  # Iterations until a point counts as inside the set.
LEFT, RIGHT, MIDDLE = -2.4, 1.05, 0.0
ROWS_IN_BLOCK = 8


def height_of(width):
    """3:2, and a whole number of blocks."""
    return max(ROWS_IN_BLOCK, width * 2 // 3 // ROWS_IN_BLOCK * ROWS_IN_BLOCK)


def block_count(width):
    return height_of(width) // ROWS_IN_BLOCK


def shade(count):
    """Palette entry of a point that escaped after `count` iterations: fine steps where most of them are."""
    return 1 + int(254 * (math.log1p(count) / math.log1p(LIMIT)))


SHADES = bytes(shade(count) for count in range(LIMIT))


def render_row(width, row):
    """One byte a pixel. Pure Python on purpose: it is the load that one interpreter cannot spread over cores."""
    step = (RIGHT - LEFT) / width
    imaginary = MIDDLE + (row - height_of(width) / 2) * step
    square = imaginary * imaginary
    pixels = bytearray(width)
    for column in range(width):
        real = LEFT + column * step
        q = (real - 0.25) ** 2 + square
        if q * (q + (real - 0.25)) <= 0.25 * square or (real + 1) ** 2 + square <= 0.0625:
            continue  # In the main cardioid or the disc beside it: inside, without iterating.
        c = complex(real, imaginary)
        z = c
        for count in range(LIMIT):
            if abs(z) > 2:
                pixels[column] = SHADES[count]
                break
            z = z * z + c
    return pixels


def render_block(width, block):
    """The block's rows as bytes that can be joined: deflate piece, length and checksum of what is in it."""
    rows = b"".join(b"\0" + render_row(width, block * ROWS_IN_BLOCK + row) for row in range(ROWS_IN_BLOCK))
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    piece = packer.compress(rows) + packer.flush(zlib.Z_FULL_FLUSH)
    return struct.pack("<QI", len(rows), zlib.adler32(rows)) + piece


def adler32_joined(first, second, second_length):
    """Adler-32 of two texts in a row from the sums of each (RFC 1950: A = 1 + sum of bytes, B = sum of all As)."""
    prime = 65521
    a1, b1, a2, b2 = first & 0xFFFF, first >> 16, second & 0xFFFF, second >> 16
    a = (a1 + a2 - 1) % prime
    b = (b1 + b2 + second_length * (a1 - 1)) % prime
    return b << 16 | a


def palette():
    """Entry 0 is the set itself, black; the others run from deep blue through white and gold to dark red."""
    stops = [(0.0, (4, 12, 60)), (0.25, (32, 107, 203)), (0.45, (237, 255, 255)), (0.65, (255, 170, 0)), (1.0, (60, 2, 10))]
    colours = bytearray(3)
    for entry in range(1, 256):
        where = entry / 255
        for (low, from_), (high, to) in zip(stops, stops[1:]):
            if where <= high:
                part = (where - low) / (high - low)
                colours += bytes(round(a + (b - a) * part) for a, b in zip(from_, to))
                break
    return bytes(colours)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def assemble(width, blocks):
    """The PNG file, from every block in order."""
    checksum = 1
    parts = [
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, height_of(width), 8, 3, 0, 0, 0)),
        chunk(b"PLTE", palette()),
        chunk(b"IDAT", b"\x78\x9c"),
    ]
    for block in blocks:
        length, own = struct.unpack_from("<QI", block)
        checksum = adler32_joined(checksum, own, length)
        parts.append(chunk(b"IDAT", block[struct.calcsize("<QI") :]))
    parts.append(chunk(b"IDAT", b"\x03\x00" + struct.pack(">I", checksum)))  # An empty last piece ends the stream.
    parts.append(chunk(b"IEND", b""))
    return b"".join(parts)
