// The server's own pages: the index and the deep-zoom page.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SERVER, assertMosaicAt, assertNoProblems, launch, openPage, viewUrl } from './browser.js';
import { MOSAIC, ODD_NAME } from './mosaic.js';

// A fixture in a compression that Azulejo does not read.
const UNREADABLE = 'tiff-tiled-lzma.tif';

const LIMIT = { timeout: 60_000 };

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

// ---- The index ---------------------------------------------------------------------------------------------------

const nextPage = (page) => page.getByRole('link', { name: 'More images' });

test('the index shows a thumbnail and the dimensions of every image', LIMIT, async () => {
  const page = await openPage(browser, `${SERVER}/`);
  for (let more = true; more; ) {
    const items = await page.locator('.images li').all();
    assert.ok(items.length > 0);
    for (const item of items) await assertItem(item);
    more = (await nextPage(page).count()) > 0;
    if (more) await nextPage(page).click();
  }
  assertNoProblems(page, { except: UNREADABLE });
});

async function assertItem(item) {
  const name = await item.getByRole('heading').innerText();
  await item.scrollIntoViewIfNeeded();
  const dimensions = item.locator('.dimensions');
  await dimensions.filter({ hasText: /./ }).waitFor();
  assert.match(await dimensions.innerText(), name === UNREADABLE ? /^Not readable \(500/ : /^\d+ × \d+$/, name);
  if (name === UNREADABLE) return;
  const { width, height } = await item.locator('img').evaluate(async (image) => {
    await image.decode();
    return { width: image.naturalWidth, height: image.naturalHeight };
  });
  assert.ok(Math.max(width, height) <= 200, `${name}: a thumbnail of ${width} × ${height}`);
}

async function findInIndex(page, name) {
  for (;;) {
    const heading = page.getByRole('heading', { name, exact: true });
    const item = page.locator('.images li').filter({ has: heading });
    if ((await item.count()) > 0) return item;
    await nextPage(page).click();
  }
}

test('an image of the index leads to its information and to its deep-zoom page', LIMIT, async () => {
  const page = await openPage(browser, `${SERVER}/`);
  const item = await findInIndex(page, MOSAIC.identifier);
  for (const [link, key] of [['info.json of mosaic.png', 'id'], ['info.json, version 2, of mosaic.png', '@id']]) {
    const address = await item.getByRole('link', { name: link }).getAttribute('href');
    const information = await (await fetch(new URL(address, SERVER))).json();
    assert.equal(information[key], address.replace('/info.json', ''));
    assert.deepEqual([information.width, information.height], [MOSAIC.width, MOSAIC.height]);
  }
  await item.getByRole('heading').getByRole('link').focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/view\?id=mosaic\.png$/);
  await assertShown(page, MOSAIC);
  assertNoProblems(page, { except: UNREADABLE });
});

// ---- The deep-zoom page ------------------------------------------------------------------------------------------

async function openView(image, { version = 3, ...options } = {}) {
  const page = await openPage(browser, viewUrl(version, image), options);
  await idle(page);
  return page;
}

// Nothing is pending, and what came last is drawn.
async function idle(page) {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.waitForFunction(() => window.azulejoViewer?.pendingTiles === 0 && window.azulejoViewer.loadedTiles > 0);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

const view = (page) => page.evaluate(() => window.azulejoViewer.view);
const box = (page) => page.locator('#canvas').boundingBox();

// From image points to points of the page: zoomed about the middle of the canvas, and turned clockwise.
async function placesOf(page, points) {
  const { x, y, zoom, turns } = await view(page);
  const { left, top, width, height } = await page.locator('#canvas').evaluate((canvas) => canvas.getBoundingClientRect().toJSON());
  return points.map((point) => {
    let [dx, dy] = [(point.x - x) * zoom, (point.y - y) * zoom];
    for (let turn = 0; turn < turns; turn++) [dx, dy] = [-dy, dx];
    return { x: left + width / 2 + dx, y: top + height / 2 + dy };
  });
}

async function assertShown(page, image) {
  await idle(page);
  const canvas = await box(page);
  const tools = await page.locator('#tools').boundingBox();
  // The focus ring lies within the canvas.
  const frame = { left: canvas.x + 6, top: canvas.y + 6, right: canvas.x + canvas.width - 6, bottom: tools.y };
  await assertMosaicAt(page, image, (points) => placesOf(page, points), frame);
}

// The image point under a point of the page.
async function under(page, { x, y }) {
  const now = await view(page);
  const canvas = await box(page);
  return {
    x: now.x + (x - canvas.x - canvas.width / 2) / now.zoom,
    y: now.y + (y - canvas.y - canvas.height / 2) / now.zoom,
  };
}

function assertNear(seen, expected, message) {
  const distance = Math.hypot(seen.x - expected.x, seen.y - expected.y);
  assert.ok(distance < 1, `${message}: ${JSON.stringify(seen)} instead of ${JSON.stringify(expected)}`);
}

// What info.json declares, spelled out: every region and size that a tile may have.
async function declaredTiles(version, { identifier }) {
  const base = `${SERVER}/iiif/${version}/${encodeURIComponent(identifier)}`;
  const { width, height, tiles } = await (await fetch(`${base}/info.json`)).json();
  const declared = new Set();
  for (const tile of tiles) {
    for (const factor of tile.scaleFactors) {
      for (let x = 0; x < width; x += tile.width * factor) {
        for (let y = 0; y < height; y += tile.height * factor) {
          const w = Math.min(tile.width * factor, width - x);
          const h = Math.min(tile.height * factor, height - y);
          declared.add(`${base}/${x},${y},${w},${h}/${Math.ceil(w / factor)},${Math.ceil(h / factor)}/0/default.jpg`);
        }
      }
    }
  }
  return declared;
}

for (const version of [2, 3]) {
  test(`the deep-zoom page shows the mosaic at every zoom, Image API ${version}`, LIMIT, async () => {
    const page = await openView(MOSAIC, { version });
    await assertShown(page, MOSAIC);
    for (const key of ['+', '+', 'ArrowRight', '+', 'ArrowDown', '-', 'ArrowLeft', 'ArrowUp', 'r', 'r', 'r']) {
      await page.keyboard.press(key);
      await assertShown(page, MOSAIC);
    }
    assertNoProblems(page);

    const declared = await declaredTiles(version, MOSAIC);
    const asked = page.requests.filter((url) => url.endsWith('.jpg'));
    assert.ok(asked.length > 4, `only ${asked.length} tiles were asked for`);
    assert.deepEqual(asked.filter((url) => !declared.has(url)), [], 'tiles that info.json does not declare');
    assert.equal(new Set(asked).size, asked.length, 'no tile is asked for twice');
  });
}

test('the deep-zoom page shows an image whose name is full of reserved characters', LIMIT, async () => {
  const page = await openView(ODD_NAME);
  await assertShown(page, ODD_NAME);
  assert.equal(await page.getByRole('heading').innerText(), ODD_NAME.identifier);
  assert.equal(await page.locator('#dimensions').innerText(), '701 × 903');
  assertNoProblems(page);
});

test('the wheel zooms about the pointer', LIMIT, async () => {
  const page = await openView(MOSAIC);
  const pointer = { x: 300, y: 250 };
  const before = await under(page, pointer);
  const { zoom } = await view(page);
  await page.mouse.move(pointer.x, pointer.y);
  await page.mouse.wheel(0, -250);
  await page.waitForFunction((old) => window.azulejoViewer.view.zoom > 1.5 * old, zoom);
  assertNear(await under(page, pointer), before, 'the point under the pointer');
  await assertShown(page, MOSAIC);
  assertNoProblems(page);
});

test('dragging moves the image with the pointer', LIMIT, async () => {
  const page = await openView(MOSAIC);
  await page.keyboard.press('+');
  const grabbed = await under(page, { x: 600, y: 400 });
  await page.mouse.move(600, 400);
  await page.mouse.down();
  await page.mouse.move(500, 350, { steps: 3 });
  await page.mouse.move(420, 300, { steps: 3 });
  await page.mouse.up();
  assertNear(await under(page, { x: 420, y: 300 }), grabbed, 'the point that was grabbed');
  await assertShown(page, MOSAIC);
  assertNoProblems(page);
});

test('a double click zooms in where it is; the whole image comes back', LIMIT, async () => {
  const page = await openView(MOSAIC);
  const home = await view(page);
  const place = { x: 700, y: 300 };
  const clicked = await under(page, place);
  await page.mouse.dblclick(place.x, place.y);
  assertNear(await under(page, place), clicked, 'the point that was clicked');
  assert.equal((await view(page)).zoom, 2 * home.zoom);
  await page.getByRole('button', { name: 'Whole image' }).click();
  assert.deepEqual(await view(page), home);
  assertNoProblems(page);
});

test('two fingers zoom about their middle and move', LIMIT, async () => {
  const phone = { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
  const page = await openView(MOSAIC, phone);
  const { zoom } = await view(page);
  const touched = await under(page, { x: 200, y: 400 });
  const session = await page.context().newCDPSession(page);
  const touch = (type, touchPoints) => session.send('Input.dispatchTouchEvent', { type, touchPoints });
  await touch('touchStart', [{ x: 150, y: 400, id: 0 }, { x: 250, y: 400, id: 1 }]);
  for (const spread of [70, 100, 150]) {
    await touch('touchMove', [{ x: 220 - spread, y: 430, id: 0 }, { x: 220 + spread, y: 430, id: 1 }]);
  }
  await touch('touchEnd', []);
  await page.waitForFunction((old) => window.azulejoViewer.view.zoom > 2.5 * old, zoom);
  assertNear(await under(page, { x: 220, y: 430 }), touched, 'the point between the fingers');
  await assertShown(page, MOSAIC);
  assertNoProblems(page);
});

test('every button can be reached and used with the keyboard', LIMIT, async () => {
  const page = await openView(MOSAIC);
  const { zoom } = await view(page);
  const reached = [];
  for (let stop = 0; stop < 9; stop++) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent);
    reached.push(name);
    if (name === 'Zoom in') await page.keyboard.press('Enter');
  }
  assert.deepEqual(reached, [
    'All images', 'info.json', 'manifest', MOSAIC.identifier, 'Zoom in', 'Zoom out', 'Whole image', 'Turn clockwise', 'Full screen',
  ]);
  assert.equal((await view(page)).zoom, 1.5 * zoom);
});

// Instead of requests that are caught: a browser may hold those back.
async function answerWith(page, status, text) {
  await page.evaluate(({ status, text }) => {
    const { fetch } = window;
    window.fetch = async () => new Response(text, { status });
    window.fetchAgain = () => (window.fetch = fetch);
  }, { status, text });
}

test('a tile that fails is said so, and can be tried again', LIMIT, async () => {
  const page = await openView(MOSAIC);
  await answerWith(page, 503, 'the server is busy');
  const { zoom } = await view(page);
  for (let step = 0; step < 4; step++) await page.keyboard.press('+');
  assert.ok((await view(page)).zoom > 5 * zoom);
  await idle(page);
  assert.match(await page.locator('#message').innerText(), /could not be loaded: 503 the server is busy$/);
  assert.ok((await page.evaluate(() => window.azulejoViewer.failedTiles)) > 0);
  await assertShown(page, MOSAIC); // from the coarser tiles

  await page.evaluate(() => { window.fetchAgain(); });
  await page.getByRole('button', { name: 'Try again' }).click();
  await idle(page);
  assert.equal(await page.evaluate(() => window.azulejoViewer.failedTiles), 0);
  assert.equal(await page.locator('#message').isVisible(), false);
  await assertShown(page, MOSAIC);
});

test('an image that does not exist is said so', LIMIT, async () => {
  const page = await openPage(browser, `${SERVER}/view?id=no-such-image`);
  await page.locator('#message', { hasText: 'This image cannot be shown: 404' }).waitFor();
  assert.equal(await page.getByRole('toolbar').isVisible(), false);
});

test('an address without an image is said so', LIMIT, async () => {
  const page = await openPage(browser, `${SERVER}/view`);
  await page.locator('#message', { hasText: 'the address names no image' }).waitFor();
});
