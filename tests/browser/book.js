// A book of a hundred pages, each a mosaic of its own, as a TIFF and as a PDF.
//   node book.js DIR        writes both into DIR

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { BLOCK, colorOfBlock } from './mosaic.js';

export const PAGES = 100;
export const BOOKS = ['book.tif', 'book.pdf'];

// Page `number`, from 1: no two are alike, and those that follow each other differ in nearly every block.
export function pageOfBook(number) {
  const shift = { column: number, row: Math.floor(number / 16) };
  return { width: 461 + (number % 7), height: 653, shift };
}

function pixels({ width, height, shift }) {
  const samples = Buffer.alloc(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [column, row] = [Math.floor(x / BLOCK) + shift.column, Math.floor(y / BLOCK) + shift.row];
      samples.set(colorOfBlock(column, row), 3 * (y * width + x));
    }
  }
  return samples;
}

const SHORT = 3;
const LONG = 4;

// A directory at `offset` with the bits of its samples and its strip behind it (TIFF 6.0, section 2).
function directory(page, offset, strip, next) {
  const entries = 10;
  const bits = offset + 2 + 12 * entries + 4;
  const rows = [
    [256, LONG, 1, page.width], [257, LONG, 1, page.height], [258, SHORT, 3, bits], [259, SHORT, 1, 8], // Deflate
    [262, SHORT, 1, 2], [273, LONG, 1, bits + 6], [277, SHORT, 1, 3], [278, LONG, 1, page.height],
    [279, LONG, 1, strip.length], [284, SHORT, 1, 1],
  ];
  const bytes = Buffer.alloc(2 + 12 * entries + 4 + 6);
  bytes.writeUInt16LE(entries, 0);
  rows.forEach(([tag, type, count, value], index) => {
    const at = 2 + 12 * index;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(count, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  });
  bytes.writeUInt32LE(next, 2 + 12 * entries);
  for (let sample = 0; sample < 3; sample++) bytes.writeUInt16LE(8, bytes.length - 6 + 2 * sample);
  return bytes;
}

function tiff(pages) {
  const parts = [Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0])];
  let offset = 8;
  pages.forEach((page, index) => {
    const packed = deflateSync(pixels(page));
    const strip = packed.length % 2 ? Buffer.concat([packed, Buffer.alloc(1)]) : packed; // offsets are even
    const length = directory(page, offset, strip, 0).length + strip.length;
    const next = index + 1 < pages.length ? offset + length : 0;
    parts.push(directory(page, offset, strip, next), strip);
    offset += length;
  });
  return Buffer.concat(parts);
}

// Points of a page that has a pixel of its image for each of its own, at 300 an inch.
const points = (pixels) => (pixels * 72) / 300;

// The objects of a page: the page, its contents, its image (PDF 32000-1, 7.7.3.3 and 8.9.5).
function objectsOf(page, first) {
  const [width, height] = [points(page.width), points(page.height)];
  const contents = `${width} 0 0 ${height} 0 0 cm /I Do`;
  const image = deflateSync(pixels(page));
  const stream = (entries, data) => Buffer.concat([Buffer.from(`<<${entries}/Length ${data.length}>>stream\n`), data, Buffer.from('\nendstream')]);
  return [
    Buffer.from(`<</Type/Page/Parent 2 0 R/MediaBox[0 0 ${width} ${height}]/Contents ${first + 1} 0 R/Resources<</XObject<</I ${first + 2} 0 R>>>>>>`),
    stream('', Buffer.from(contents)),
    stream(`/Type/XObject/Subtype/Image/Width ${page.width}/Height ${page.height}/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/FlateDecode`, image),
  ];
}

function pdf(pages) {
  const first = 3;
  const kids = pages.map((_, index) => `${first + 3 * index} 0 R`).join(' ');
  const objects = [
    Buffer.from('<</Type/Catalog/Pages 2 0 R>>'),
    Buffer.from(`<</Type/Pages/Count ${pages.length}/Kids[${kids}]>>`),
    ...pages.flatMap((page, index) => objectsOf(page, first + 3 * index)),
  ];
  const parts = [Buffer.from('%PDF-1.7\n')];
  let offset = parts[0].length;
  const places = objects.map((object, index) => {
    const part = Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), object, Buffer.from('\nendobj\n')]);
    parts.push(part);
    offset += part.length;
    return offset - part.length;
  });
  const rows = places.map((place) => `${String(place).padStart(10, '0')} 00000 n \n`).join('');
  const size = objects.length + 1;
  parts.push(Buffer.from(`xref\n0 ${size}\n0000000000 65535 f \n${rows}trailer<</Size ${size}/Root 1 0 R>>\nstartxref\n${offset}\n%%EOF\n`));
  return Buffer.concat(parts);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const pages = Array.from({ length: PAGES }, (_, index) => pageOfBook(index + 1));
  const [tiffName, pdfName] = BOOKS;
  writeFileSync(join(process.argv[2], tiffName), tiff(pages));
  writeFileSync(join(process.argv[2], pdfName), pdf(pages));
}
