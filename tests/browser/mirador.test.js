// Mirador opens the manifest of a document and turns its pages.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SERVER, assertMosaicAt, assertNoProblems, launch, openPage } from './browser.js';
import { BOOKS, PAGES, pageOfBook } from './book.js';
import { serveViewers } from './viewers.js';

let browser;
let viewers;

before(async () => {
  browser = await launch();
  viewers = await serveViewers();
});

after(async () => {
  await browser?.close();
  viewers?.close();
});

function openManifest(version, book) {
  const manifest = `${SERVER}/presentation/${version}/${book}/manifest`;
  return openPage(browser, `${viewers.origin}/mirador.html?manifest=${encodeURIComponent(manifest)}`);
}

// Where nothing but the image is.
async function frame(page) {
  const box = await page.locator('.openseadragon-container').first().boundingBox();
  return { left: box.x + 1, top: box.y + 60, right: box.x + box.width - 1, bottom: box.y + box.height - 90 };
}

async function assertPageIsShown(page, number) {
  const image = pageOfBook(number);
  await page.waitForFunction((width) => window.test?.idle(width), image.width);
  await assertMosaicAt(page, image, (points) => page.evaluate((all) => window.test.toScreen(all), points), await frame(page));
}

for (const [version, book] of [2, 3].flatMap((version) => BOOKS.map((book) => [version, book]))) {
  test(`Mirador turns the hundred pages of ${book}, Presentation ${version}`, { timeout: 180_000 }, async () => {
    const page = await openManifest(version, book);
    await assertPageIsShown(page, 1);
    await assert.rejects(assertPageIsShown(page, 8), 'page 8 is as wide, and is another');
    for (let number = 2; number <= PAGES; number++) {
      await page.getByRole('button', { name: 'Next item' }).click();
      if (number <= 5 || number % 25 === 0) await assertPageIsShown(page, number);
    }
    await page.getByRole('button', { name: 'Previous item' }).click();
    await assertPageIsShown(page, PAGES - 1);
    assertNoProblems(page, { except: 'React 19' }); // a warning about Mirador's own use of it
  });
}
