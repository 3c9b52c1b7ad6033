// The test images: blocks of 64 pixels in known colours, in odd sizes, so that no edge falls on a tile's edge.
//   node mosaic.js DIR        writes them into DIR

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';

export const BLOCK = 64;

export const MOSAIC = { identifier: 'mosaic.png', width: 2311, height: 1549 };

// Every character here has a meaning in URLs, in HTML, or in UTF-8.
export const ODD_NAME = { identifier: 'sub folder/50% "é" <b>&amp;+#?.png', width: 701, height: 903 };

// Neighbours differ by 64 in red or green; the third channel tells blocks apart that are four blocks away.
export function colorOfBlock(column, row) {
  const third = column + 3 * row + Math.floor(column / 4) + 2 * Math.floor(row / 4);
  return [column, row, third].map((step) => 32 + 64 * (step % 4));
}

// The middles of all blocks, in image pixels, with their colours. A shift begins the mosaic at another block.
export function blocks({ width, height, shift = { column: 0, row: 0 } }) {
  const found = [];
  for (let row = 0; (row + 1) * BLOCK <= height; row++) {
    for (let column = 0; (column + 1) * BLOCK <= width; column++) {
      found.push({ x: (column + 0.5) * BLOCK, y: (row + 0.5) * BLOCK, color: colorOfBlock(column + shift.column, row + shift.row) });
    }
  }
  return found;
}

function pixels({ width, height }) {
  const lines = Buffer.alloc(height * (1 + 3 * width)); // each line begins with its filter: 0, none
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const color = colorOfBlock(Math.floor(x / BLOCK), Math.floor(y / BLOCK));
      lines.set(color, y * (1 + 3 * width) + 1 + 3 * x);
    }
  }
  return lines;
}

// PNG annex D; Node has it only from version 22 on.
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

// A chunk (PNG 5.3): length, type, data, CRC of type and data.
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  const check = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

function png(image) {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]); // 8 bits, RGB, not interlaced
  header.writeUInt32BE(image.width, 0);
  header.writeUInt32BE(image.height, 4);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(pixels(image));
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

function write(directory) {
  for (const image of [MOSAIC, ODD_NAME]) {
    const path = join(directory, image.identifier);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, png(image));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) write(process.argv[2]);
