// Chromium, pages that remember whatever goes wrong on them, and the colours of a screenshot.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { blocks } from './mosaic.js';

export const SERVER = process.env.AZULEJO_URL?.replace(/\/$/, '');
assert.ok(SERVER, 'AZULEJO_URL names the server under test');

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

// JPEG, scaling and two colour conversions lie between the mosaic and the screenshot.
const TOLERANCE = 10;

export const infoUrl = (version, image) => `${SERVER}/iiif/${version}/${encodeURIComponent(image.identifier)}/info.json`;

export const viewUrl = (version, image) => `${SERVER}/view?api=${version}&id=${encodeURIComponent(image.identifier)}`;

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS, timeout: 60_000 });
}

// A page of its own context. `problems` collects console errors, exceptions, error statuses and failed requests, except
// for requests that the page itself gave up; `requests` all addresses.
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 700 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.problems = [];
  page.requests = [];
  page.on('console', (message) => message.type() === 'error' && page.problems.push(`${message.text()} ${message.location().url}`));
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('request', (request) => page.requests.push(request.url()));
  page.on('response', (answer) => answer.status() >= 400 && page.problems.push(`${answer.status()} ${answer.url()}`));
  page.on('requestfailed', (request) => {
    const { errorText } = request.failure();
    if (errorText !== 'net::ERR_ABORTED') page.problems.push(`${errorText} ${request.url()}`);
  });
  await page.goto(url);
  return page;
}

// Nothing went wrong, but for what may: problems with this in their text.
export function assertNoProblems(page, { except } = {}) {
  assert.deepEqual(page.problems.filter((problem) => !(except && problem.includes(except))), []);
}

// browser → an empty page that decodes screenshots
const readers = new WeakMap();

function readerOf(browser) {
  if (!readers.has(browser)) readers.set(browser, browser.newPage());
  return readers.get(browser);
}

// The colours of the page at these points, read from a screenshot.
async function colorsAt(page, points) {
  const screenshot = (await page.screenshot({ scale: 'css' })).toString('base64');
  const reader = await readerOf(page.context().browser());
  return reader.evaluate(readColors, { screenshot, points });
}

// Runs in the browser.
async function readColors({ screenshot, points }) {
  const bytes = Uint8Array.from(atob(screenshot), (character) => character.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]));
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
  context.drawImage(bitmap, 0, 0);
  return points.map(({ x, y }) => [...context.getImageData(x, y, 1, 1).data.slice(0, 3)]);
}

// Every block of the mosaic that is in sight has its colour in the middle of where it belongs. `toScreen` maps image
// points to CSS pixels of the page; `frame` is the part of the page that shows the image and nothing over it.
export async function assertMosaicAt(page, image, toScreen, frame) {
  const all = blocks(image);
  const places = await toScreen(all.map(({ x, y }) => ({ x, y })));
  const inSight = all
    .map((block, index) => ({ ...block, at: { x: Math.floor(places[index].x), y: Math.floor(places[index].y) } }))
    .filter(({ at }) => at.x >= frame.left && at.x < frame.right && at.y >= frame.top && at.y < frame.bottom);
  assert.ok(inSight.length >= 12, `only ${inSight.length} blocks in sight`);
  const colors = await colorsAt(page, inSight.map(({ at }) => at));
  const wrong = inSight
    .map((block, index) => ({ ...block, seen: colors[index] }))
    .filter(({ color, seen }) => color.some((value, channel) => Math.abs(value - seen[channel]) > TOLERANCE));
  assert.deepEqual(wrong.slice(0, 3), [], `${wrong.length} of ${inSight.length} blocks have a wrong colour`);
}
