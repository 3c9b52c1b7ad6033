// The deep-zoom viewer of Azulejo: reads an info.json (Image API 3.0 or 2.1) and draws the tiles that it declares.
//
// Three spaces: image pixels (of the full image), CSS pixels and device pixels (of the canvas). The view is the image
// point in the middle of the canvas, the zoom in CSS pixels per image pixel, and the quarter turns clockwise.

const CACHE_PIXELS = 32 * 1024 * 1024;
const LARGEST_ZOOM = 8;
const ZOOM_STEP = 1.5;
const PAN_STEP = 0.2;
const TAP_MILLISECONDS = 350;
const TAP_DISTANCE = 20;

const element = (id) => document.getElementById(id);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// ---- The image: its information and the tiles it declares --------------------------------------------------------

class TiledImage {
  constructor(base, info) {
    this.base = base;
    this.width = info.width;
    this.height = info.height;
    const [tiles] = info.tiles ?? [];
    if (!(this.width > 0 && this.height > 0 && tiles)) throw new Error('info.json declares no size or no tiles');
    this.tileWidth = tiles.width;
    this.tileHeight = tiles.height ?? tiles.width;
    this.scaleFactors = [...tiles.scaleFactors].sort((a, b) => b - a);
  }

  // The coarsest level that still has a pixel for every device pixel, or else the finest there is.
  scaleFactorFor(devicePixelsPerImagePixel) {
    const sharp = this.scaleFactors.find((factor) => factor * devicePixelsPerImagePixel <= 1.0001);
    return sharp ?? this.scaleFactors.at(-1);
  }

  // The tiles of one level that touch an area of the image (Image API 3.0, implementation notes: tile parameters).
  tilesIn(area, factor) {
    const stepX = this.tileWidth * factor;
    const stepY = this.tileHeight * factor;
    const columns = Math.ceil(this.width / stepX);
    const rows = Math.ceil(this.height / stepY);
    const tiles = [];
    for (let row = clamp(Math.floor(area.top / stepY), 0, rows); row < rows && row * stepY < area.bottom; row++) {
      for (let column = clamp(Math.floor(area.left / stepX), 0, columns); column < columns && column * stepX < area.right; column++) {
        tiles.push(this.tile(column * stepX, row * stepY, factor));
      }
    }
    return tiles;
  }

  tile(x, y, factor) {
    const width = Math.min(this.tileWidth * factor, this.width - x);
    const height = Math.min(this.tileHeight * factor, this.height - y);
    const size = `${Math.ceil(width / factor)},${Math.ceil(height / factor)}`;
    return { x, y, width, height, url: `${this.base}/${x},${y},${width},${height}/${size}/0/default.jpg` };
  }
}

// ---- Loading: what is wanted is fetched, what is no longer wanted is cancelled, what was used last is kept --------

class TileLoader {
  constructor(onChange) {
    this.onChange = onChange;
    this.pending = new Map(); // url → AbortController
    this.failed = new Map(); // url → reason
    this.bitmaps = new Map(); // url → ImageBitmap, the least recently wanted first
  }

  want(tiles) {
    const wanted = new Set(tiles.map((tile) => tile.url));
    for (const [url, controller] of this.pending) if (!wanted.has(url)) this.cancel(url, controller);
    for (const url of wanted) {
      if (this.bitmaps.has(url)) this.touch(url);
      else if (!this.pending.has(url) && !this.failed.has(url)) this.load(url);
    }
    this.evict(wanted);
  }

  async load(url) {
    const controller = new AbortController();
    this.pending.set(url, controller);
    try {
      const bitmap = await fetchBitmap(url, controller.signal);
      if (controller.signal.aborted) return bitmap.close();
      this.bitmaps.set(url, bitmap);
    } catch (error) {
      if (controller.signal.aborted) return;
      this.failed.set(url, error.message);
    }
    this.pending.delete(url);
    this.onChange();
  }

  cancel(url, controller) {
    controller.abort();
    this.pending.delete(url);
  }

  touch(url) {
    const bitmap = this.bitmaps.get(url);
    this.bitmaps.delete(url);
    this.bitmaps.set(url, bitmap);
  }

  evict(wanted) {
    let pixels = 0;
    for (const bitmap of this.bitmaps.values()) pixels += bitmap.width * bitmap.height;
    for (const [url, bitmap] of this.bitmaps) {
      if (pixels <= CACHE_PIXELS || wanted.has(url)) return;
      pixels -= bitmap.width * bitmap.height;
      this.bitmaps.delete(url);
      bitmap.close();
    }
  }

  retry() {
    this.failed.clear();
    this.onChange();
  }
}

async function fetchBitmap(url, signal) {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(await reason(response));
  return createImageBitmap(await response.blob());
}

// The server answers errors with one line of plain text: the best explanation there is.
async function reason(response) {
  const text = await response.text().catch(() => '');
  return `${response.status} ${text.trim().slice(0, 200) || response.statusText}`;
}

// ---- The view: what part of the image is seen, and drawing it ----------------------------------------------------

class Viewer {
  constructor(canvas, image) {
    this.canvas = canvas;
    this.image = image;
    this.loader = new TileLoader(() => this.redraw());
    this.turns = 0;
    this.atHome = true;
    this.frame = 0;
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
  }

  resize() {
    this.ratio = window.devicePixelRatio || 1;
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.round(this.width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
    if (this.atHome) this.home();
    else this.redraw();
  }

  home() {
    this.x = this.image.width / 2;
    this.y = this.image.height / 2;
    this.zoom = this.fit();
    this.atHome = true;
    this.redraw();
  }

  fit() {
    const { width, height } = this.turned(this.image);
    return Math.min(this.width / width, this.height / height, LARGEST_ZOOM) || 1;
  }

  turned({ width, height }) {
    return this.turns % 2 ? { width: height, height: width } : { width, height };
  }

  // A distance on the canvas as a distance in the image: the turn undone, then the zoom.
  toImage(dx, dy) {
    const [x, y] = [[dx, dy], [dy, -dx], [-dx, -dy], [-dy, dx]][this.turns];
    return [x / this.zoom, y / this.zoom];
  }

  pan(dx, dy) {
    const [x, y] = this.toImage(dx, dy);
    this.x = clamp(this.x - x, 0, this.image.width);
    this.y = clamp(this.y - y, 0, this.image.height);
    this.atHome = false;
    this.redraw();
  }

  // Zooms so that the image point under a canvas point (from its middle) stays there.
  zoomBy(factor, dx = 0, dy = 0) {
    const smallest = Math.min(this.fit() / 2, 1);
    const before = this.zoom;
    this.zoom = clamp(before * factor, smallest, Math.max(LARGEST_ZOOM, this.fit()));
    const kept = this.zoom / before - 1;
    this.pan(-dx * kept, -dy * kept);
  }

  turn() {
    this.turns = (this.turns + 1) % 4;
    if (this.atHome) this.home();
    else this.redraw();
  }

  redraw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  // The part of the image that the canvas shows.
  area() {
    const { width, height } = this.turned(this);
    const [halfWidth, halfHeight] = [width / this.zoom / 2, height / this.zoom / 2];
    return { left: this.x - halfWidth, top: this.y - halfHeight, right: this.x + halfWidth, bottom: this.y + halfHeight };
  }

  // Asks for the level that is sharp here, nearest to the middle first, and for the coarsest, which is soon there and
  // always useful. Draws over each other what is loaded, coarse to fine.
  draw() {
    const area = this.area();
    const { scaleFactors } = this.image;
    const sharp = this.image.scaleFactorFor(this.zoom * this.ratio);
    const levels = scaleFactors.filter((factor) => factor >= sharp).map((factor) => this.image.tilesIn(area, factor));
    const distance = (tile) => Math.hypot(tile.x + tile.width / 2 - this.x, tile.y + tile.height / 2 - this.y);
    const wanted = [...levels.at(-1)].sort((a, b) => distance(a) - distance(b));
    this.loader.want([...levels[0], ...wanted]);
    this.paint(levels.flat());
    showFailures(this.loader.failed);
  }

  paint(tiles) {
    const context = this.canvas.getContext('2d');
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const [cos, sin] = [[1, 0], [0, 1], [-1, 0], [0, -1]][this.turns];
    context.setTransform(cos, sin, -sin, cos, Math.round(this.canvas.width / 2), Math.round(this.canvas.height / 2));
    const scale = this.zoom * this.ratio;
    context.imageSmoothingEnabled = scale < 2;
    context.imageSmoothingQuality = 'high';
    for (const tile of tiles) {
      const bitmap = this.loader.bitmaps.get(tile.url);
      if (bitmap) this.paintTile(context, bitmap, tile, scale);
    }
  }

  // Whole device pixels for every edge: neighbours meet without a seam.
  paintTile(context, bitmap, tile, scale) {
    const left = Math.round((tile.x - this.x) * scale);
    const top = Math.round((tile.y - this.y) * scale);
    const right = Math.round((tile.x + tile.width - this.x) * scale);
    const bottom = Math.round((tile.y + tile.height - this.y) * scale);
    context.drawImage(bitmap, left, top, right - left, bottom - top);
  }
}

// ---- Wheel, pointers, keys, buttons ------------------------------------------------------------------------------

// Where an event happened, from the middle of the canvas.
function place(event, canvas) {
  const box = canvas.getBoundingClientRect();
  return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
}

function listenToWheel(canvas, viewer) {
  const lines = { [WheelEvent.DOM_DELTA_LINE]: 20, [WheelEvent.DOM_DELTA_PAGE]: 400 };
  canvas.addEventListener('wheel', (event) => {
    event.preventDefault();
    const pixels = clamp(event.deltaY * (lines[event.deltaMode] ?? 1), -300, 300);
    const { x, y } = place(event, canvas);
    viewer.zoomBy(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)), x, y); // a trackpad's pinch comes with ctrlKey
  }, { passive: false });
}

function listenToPointers(canvas, viewer) {
  const pointers = new Map();
  const taps = new Taps((point, out) => viewer.zoomBy(out ? 1 / 2 : 2, point.x, point.y));

  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event, canvas));
    taps.down(event, pointers.size);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = gesture(pointers);
    pointers.set(event.pointerId, place(event, canvas));
    const after = gesture(pointers);
    viewer.pan(after.x - before.x, after.y - before.y);
    if (pointers.size === 2) viewer.zoomBy(after.spread / before.spread, after.x, after.y);
  });
  canvas.addEventListener('pointerup', (event) => {
    if (pointers.delete(event.pointerId)) taps.up(event, place(event, canvas));
  });
  canvas.addEventListener('pointercancel', (event) => pointers.delete(event.pointerId));
}

// The middle of all pointers, and how far the first two are apart.
function gesture(pointers) {
  const points = [...pointers.values()];
  const [first, second = first] = points;
  const mean = (axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  return { x: mean('x'), y: mean('y'), spread: Math.max(Math.hypot(first.x - second.x, first.y - second.y), 1) };
}

// Double taps and double clicks: `dblclick` does not come on every touch screen.
class Taps {
  constructor(onDouble) {
    this.onDouble = onDouble;
    this.start = this.last = { time: -Infinity };
  }

  down(event, fingers) {
    this.start = fingers === 1 ? moment(event) : { time: -Infinity };
  }

  up(event, point) {
    const now = moment(event);
    const isTap = near(this.start, now);
    const isDouble = isTap && near(this.last, now);
    this.last = isTap && !isDouble ? now : { time: -Infinity };
    if (isDouble) this.onDouble(point, event.shiftKey);
  }
}

const moment = (event) => ({ time: event.timeStamp, x: event.clientX, y: event.clientY });

function near(earlier, later) {
  return later.time - earlier.time < TAP_MILLISECONDS && Math.hypot(later.x - earlier.x, later.y - earlier.y) < TAP_DISTANCE;
}

function actions(viewer) {
  const pan = (x, y) => viewer.pan(x * PAN_STEP * viewer.width, y * PAN_STEP * viewer.height);
  const zoomIn = () => viewer.zoomBy(ZOOM_STEP);
  const zoomOut = () => viewer.zoomBy(1 / ZOOM_STEP);
  const home = () => viewer.home();
  return {
    ArrowLeft: () => pan(1, 0),
    ArrowRight: () => pan(-1, 0),
    ArrowUp: () => pan(0, 1),
    ArrowDown: () => pan(0, -1),
    '+': zoomIn,
    '=': zoomIn, // the plus key without Shift
    '-': zoomOut,
    0: home,
    Home: home,
    r: () => viewer.turn(),
    f: fillScreen,
  };
}

function fillScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else element('viewer').requestFullscreen?.().catch(() => {}); // refused by some embedding pages: nothing to do then
}

function listenToKeysAndButtons(viewer) {
  const byKey = actions(viewer);
  window.addEventListener('keydown', (event) => {
    const action = byKey[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });
  for (const button of document.querySelectorAll('[data-key]')) {
    button.addEventListener('click', byKey[button.dataset.key]);
  }
  element('retry').addEventListener('click', () => viewer.loader.retry());
}

// ---- The page ----------------------------------------------------------------------------------------------------

function showMessage(text) {
  const message = element('message');
  message.hidden = !text;
  if (message.textContent !== text) message.textContent = text;
}

function showFailures(failed) {
  element('retry').hidden = failed.size === 0;
  const [first] = failed.values();
  const count = failed.size === 1 ? 'One tile' : `${failed.size} tiles`;
  showMessage(failed.size ? `${count} could not be loaded: ${first}` : '');
}

// The identifier is decoded and encoded again, so that it stays one segment of the path whatever the address says.
function requested() {
  const raw = (name) => new RegExp(`[?&]${name}=([^&]*)`).exec(location.search)?.[1];
  const identifier = decodeURIComponent(raw('id') ?? '');
  if (!identifier) throw new Error('the address names no image: /view?id=IDENTIFIER');
  const version = raw('api') === '2' ? 2 : 3;
  const address = (api) => new URL(`${api}/${version}/${encodeURIComponent(identifier)}`, location.href).href;
  return { identifier, base: address('iiif'), manifest: `${address('presentation')}/manifest` };
}

async function fetchInformation(base) {
  const response = await fetch(`${base}/info.json`);
  if (!response.ok) throw new Error(await reason(response));
  return response.json();
}

function describe({ identifier, base, manifest }) {
  document.title = `${identifier} – Azulejo`;
  element('name').textContent = identifier;
  element('info').href = `${base}/info.json`;
  element('manifest').href = manifest;
  element('canvas').setAttribute('aria-label', identifier);
}

// What a test may look at: the only thing that this script adds to the page's globals.
function expose(viewer) {
  window.azulejoViewer = {
    get pendingTiles() { return viewer.loader.pending.size; },
    get failedTiles() { return viewer.loader.failed.size; },
    get loadedTiles() { return viewer.loader.bitmaps.size; },
    get view() { return { x: viewer.x, y: viewer.y, zoom: viewer.zoom, turns: viewer.turns }; },
  };
}

async function start() {
  const asked = requested();
  const { base } = asked;
  describe(asked);
  const image = new TiledImage(base, await fetchInformation(base));
  element('dimensions').textContent = `${image.width} × ${image.height}`;
  element('tools').hidden = false;
  const viewer = new Viewer(element('canvas'), image);
  listenToWheel(viewer.canvas, viewer);
  listenToPointers(viewer.canvas, viewer);
  listenToKeysAndButtons(viewer);
  expose(viewer);
}

start().catch((error) => showMessage(`This image cannot be shown: ${error.message}`));
