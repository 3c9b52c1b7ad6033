// What other people's viewers make of the server: each image in both versions, from another origin.

import { after, before, test } from 'node:test';
import { assertMosaicAt, assertNoProblems, infoUrl, launch, openPage } from './browser.js';
import { MOSAIC, ODD_NAME } from './mosaic.js';
import { serveViewers } from './viewers.js';

const FRAME = { left: 1, top: 1, right: 999, bottom: 699 };

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

async function assertMosaicIsShown(page, image) {
  await page.waitForFunction(() => window.test?.idle());
  await assertMosaicAt(page, image, (points) => page.evaluate((all) => window.test.toScreen(all), points), FRAME);
}

async function openViewer(name, version, image) {
  const info = encodeURIComponent(infoUrl(version, image));
  return openPage(browser, `${viewers.origin}/${name}.html?info=${info}`);
}

for (const name of ['openseadragon', 'leaflet']) {
  for (const version of [2, 3]) {
    test(`${name} shows the mosaic at every zoom, Image API ${version}`, { timeout: 60_000 }, async () => {
      const page = await openViewer(name, version, MOSAIC);
      await assertMosaicIsShown(page, MOSAIC);
      for (const [x, y, zoom] of [[600, 500, 0.5], [1000, 800, 1], [MOSAIC.width, MOSAIC.height, 1], [0, 0, 0.25]]) {
        await page.evaluate(([...look]) => window.test.look(...look), [x, y, zoom]);
        await assertMosaicIsShown(page, MOSAIC);
      }
      assertNoProblems(page);
    });

    test(`${name} shows an image whose name is full of reserved characters, Image API ${version}`, { timeout: 60_000 }, async () => {
      const page = await openViewer(name, version, ODD_NAME);
      await assertMosaicIsShown(page, ODD_NAME);
      assertNoProblems(page);
    });
  }
}
