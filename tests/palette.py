"""Pictures of pages in at most 128 colours, a fraction of the size: a browser reads, zlib writes.

Pages have few colours and the greys of letters' edges. The commonest stay as they are; of the rest
each becomes the nearest of these. PNG (ISO/IEC 15948) with a palette, 8 bits a pixel, no filter.
"""

import base64
import struct
import zlib
from typing import Any, Final

from playwright.sync_api import Page

_READ: Final = """async picture => {
  const got = await fetch("data:image/png;base64," + picture);
  const image = await createImageBitmap(await got.blob());
  const {width, height} = image;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
  const counts = new Map();
  for (const each of pixels) counts.set(each, (counts.get(each) ?? 0) + 1);
  const kept = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 128).map(([c]) => c);
  const parts = colour => [0, 8, 16].map(by => colour >>> by & 255);
  const palette = kept.map(parts);
  const nearest = colour => {
    const [r, g, b] = parts(colour);
    const far = palette.map(([x, y, z]) => (x - r) ** 2 + (y - g) ** 2 + (z - b) ** 2);
    return far.indexOf(Math.min(...far));
  };
  const place = new Map([...counts.keys()].map(colour => [colour, nearest(colour)]));
  const rows = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      rows[y * (width + 1) + x + 1] = place.get(pixels[y * width + x]);
  const reader = new FileReader();
  return new Promise(done => {
    reader.onload = () => done({width, height, palette: palette.flat(), rows: reader.result});
    reader.readAsDataURL(new Blob([rows]));
  });
}"""


def smaller(picture: bytes, page: Page) -> bytes:
    """A PNG in fewer colours.

    Args:
        picture: a PNG without transparency.
        page: of the browser that is to read it, in a page of its own.
    """
    browser = page.context.browser
    assert browser is not None
    blank = browser.new_page()
    found: dict[str, Any] = blank.evaluate(_READ, base64.b64encode(picture).decode())
    blank.close()
    head = struct.pack(">IIBBBBB", found["width"], found["height"], 8, 3, 0, 0, 0)
    rows = base64.b64decode(found["rows"].partition(",")[2])
    parts = (
        (b"IHDR", head),
        (b"PLTE", bytes(found["palette"])),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)
