// iiif-processor (npm) behind Node's HTTP server, one process a core:
//   node iiif-processor.js PORT IMAGES        NODE_PATH leads to the package
// The quality of JPEG is sharp's default of 80; the library has no setting for it.
const cluster = require("node:cluster");
const http = require("node:http");
const os = require("node:os");
const path = require("node:path");

const [port, images] = [Number(process.argv[2]), process.argv[3]];

if (cluster.isPrimary) {
  os.cpus().forEach(() => cluster.fork());
} else {
  serve();
}

function serve() {
  const { Processor } = require("iiif-processor");
  const sharp = require("sharp");
  sharp.concurrency(1);
  sharp.cache(false);

  const file = (id) => path.join(images, path.basename(decodeURIComponent(id)));

  // The library pipes a stream into sharp, which then holds the whole file. It only calls `pipe`: this one has sharp
  // open the file by its name and read what it needs.
  const streamResolver = async ({ id }) => ({
    pipe(target) {
      target.options.input.file = file(id);
      delete target.options.input.buffer;
      return target;
    },
    destroy() {},
    on() {},
  });

  // The sizes of an image's levels, asked for once: without them the library decodes the largest.
  const known = new Map();
  async function levels(name) {
    const { format, pages = 1, width, height } = await sharp(name, { limitInputPixels: false }).metadata();
    const found = [{ width, height }];
    for (let page = 1; format === "tiff" && page < pages; page++) {
      const level = await sharp(name, { limitInputPixels: false, page }).metadata();
      found.push({ width: level.width, height: level.height });
    }
    return found;
  }
  async function dimensionFunction({ id }) {
    const name = file(id);
    if (!known.has(name)) known.set(name, await levels(name));
    return known.get(name).map((level) => ({ ...level }));
  }

  const options = { dimensionFunction, sharpOptions: { sequentialRead: true, failOn: "none" } };

  async function answer(request, response) {
    const result = await new Processor(`http://${request.headers.host}${request.url}`, streamResolver, options).execute();
    const body = Buffer.from(result.type === "content" ? result.body : String(result.message || result.location));
    const status = { content: 200, redirect: 302 }[result.type] || result.statusCode || 500;
    response.writeHead(status, { "content-type": result.contentType || "text/plain", "content-length": body.length });
    response.end(body);
  }

  http
    .createServer({ keepAliveTimeout: 60000 }, (request, response) =>
      answer(request, response).catch((error) => response.writeHead(error.statusCode || 500).end(String(error))),
    )
    .listen(port, "127.0.0.1");
}
