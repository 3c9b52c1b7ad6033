// Another origin than the server's, with the viewers and their pages.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const packageFile = (name, path) => join(dirname(require.resolve(`${name}/package.json`)), path);

const FILES = {
  '/auth2.html': join(here, 'viewers/auth2.html'),
  '/auth2-page.js': join(here, 'viewers/auth2-page.js'),
  '/openseadragon.html': join(here, 'viewers/openseadragon.html'),
  '/openseadragon-page.js': join(here, 'viewers/openseadragon-page.js'),
  '/leaflet.html': join(here, 'viewers/leaflet.html'),
  '/leaflet-page.js': join(here, 'viewers/leaflet-page.js'),
  '/mirador.html': join(here, 'viewers/mirador.html'),
  '/mirador-page.js': join(here, 'viewers/mirador-page.js'),
  '/mirador.js': join(packageFile('leaflet', '../mirador'), 'dist/mirador.min.js'),
  '/openseadragon.js': packageFile('openseadragon', 'build/openseadragon/openseadragon.min.js'),
  '/leaflet.js': packageFile('leaflet', 'dist/leaflet.js'),
  '/leaflet.css': packageFile('leaflet', 'dist/leaflet.css'),
  '/leaflet-iiif.js': packageFile('leaflet-iiif', 'leaflet-iiif.js'),
};

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' };

async function answer(request, response) {
  const file = FILES[new URL(request.url, 'http://any').pathname];
  if (!file) return response.writeHead(404).end();
  response.writeHead(200, { 'Content-Type': TYPES[extname(file)] }).end(await readFile(file));
}

// Resolves to { origin, close }.
export function serveViewers() {
  const server = createServer(answer);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const close = () => {
        server.closeAllConnections();
        server.close();
      };
      resolve({ origin: `http://127.0.0.1:${server.address().port}`, close });
    });
  });
}
