// Logins, in a viewer of another origin that speaks Authorization Flow 2.0.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertMosaicAt, launch, openPage } from './browser.js';
import { MOSAIC } from './mosaic.js';
import { USER, serveProtected } from './protected.js';
import { serveViewers } from './viewers.js';

const FRAME = { left: 1, top: 1, right: 999, bottom: 599 };

let browser;
let server;
let viewers;

before(async () => {
  browser = await launch();
  viewers = await serveViewers();
  server = await serveProtected();
});

after(async () => {
  await browser?.close();
  viewers?.close();
  await server?.stop();
});

// Another origin than the server's, of the same site: what browsers do with cookies of other sites is up to them.
const viewerAt = (path) => `${viewers.origin}${path}`;

async function logIn(popup) {
  await popup.getByLabel('Name').fill(USER.name);
  await popup.getByLabel('Password').fill(USER.password);
  await Promise.all([popup.waitForEvent('close'), popup.getByRole('button').click()]);
}

// The status of a tile, as the browser gets it in a page of the server itself.
async function statusOfTile(page) {
  const answer = await page.context().request.get(`${server.url}/iiif/3/${MOSAIC.identifier}/full/50,/0/default.jpg`);
  return answer.status();
}

test('whoever logs in sees the image until they log out (Authorization Flow 2.0)', { timeout: 120_000 }, async () => {
  const id = encodeURIComponent(`${server.url}/iiif/3/${MOSAIC.identifier}`);
  const page = await openPage(browser, viewerAt(`/auth2.html?id=${id}`));
  await page.getByText('401: Not for everyone Ask at the desk.').waitFor();
  assert.ok(await page.evaluate(() => window.test.isEmpty()));
  await page.getByRole('heading', { name: 'Restricted material' }).waitFor();
  const opened = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Go on' }).click();
  await logIn(await opened);
  await page.getByText('open', { exact: true }).waitFor();
  await page.waitForFunction(() => window.test.idle());
  await assertMosaicAt(page, MOSAIC, (points) => page.evaluate((all) => window.test.toScreen(all), points), FRAME);
  const closing = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Log out' }).click();
  await closing;
  await page.getByText('401: Not for everyone Ask at the desk.').waitFor();
  assert.ok(await page.evaluate(() => window.test.isEmpty()));
  assert.equal(await statusOfTile(page), 401);
});

test('a login with a wrong password opens nothing', { timeout: 60_000 }, async () => {
  const id = encodeURIComponent(`${server.url}/iiif/3/${MOSAIC.identifier}`);
  const page = await openPage(browser, viewerAt(`/auth2.html?id=${id}`));
  const opened = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Go on' }).click();
  const popup = await opened;
  await popup.getByLabel('Name').fill(USER.name);
  await popup.getByLabel('Password').fill('wrong');
  await popup.getByRole('button').click();
  await popup.getByRole('alert').waitFor();
  await popup.close();
  await page.getByText('401: Not for everyone Ask at the desk.').waitFor();
  assert.equal(await statusOfTile(page), 401);
});

async function assertMosaicInMirador(page) {
  await page.waitForFunction((width) => window.test?.idle(width), MOSAIC.width);
  const box = await page.locator('.openseadragon-container').first().boundingBox();
  const frame = { left: box.x + 1, top: box.y + 60, right: box.x + box.width - 1, bottom: box.y + box.height - 90 };
  await assertMosaicAt(page, MOSAIC, (points) => page.evaluate((all) => window.test.toScreen(all), points), frame);
}

// No viewer on npm speaks Authorization Flow 2.0 for images yet; Mirador speaks its predecessor.
test('Mirador shows the image to whoever logs in, until they log out (Authentication 1.0)', { timeout: 120_000 }, async () => {
  const manifest = encodeURIComponent(`${server.url}/presentation/2/${MOSAIC.identifier}/manifest`);
  const page = await openPage(browser, viewerAt(`/mirador.html?manifest=${manifest}`));
  await page.getByText('Continue').click();
  const opened = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Go on' }).click();
  const information = page.waitForResponse((answer) => answer.url().endsWith('/info.json') && answer.status() === 200);
  await logIn(await opened);
  assert.match((await information).request().headers().authorization, /^Bearer ./);
  // Mirador 4.0 asks for no tile again that it was refused before the login: another window shows them.
  const other = await page.context().newPage();
  await other.goto(page.url());
  await assertMosaicInMirador(other);
  await other.close();
  const closing = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Log out' }).click();
  await closing;
  await page.getByText('Continue').waitFor();
  assert.equal(await statusOfTile(page), 401);
});
