// Opens the info.json named in the address, and gives the tests what they need: `idle`, `toScreen`, `look`.

const map = L.map('viewer', {
  center: [0, 0],
  crs: L.CRS.Simple,
  zoom: 0,
  fadeAnimation: false,
  zoomAnimation: false,
  zoomControl: false,
  attributionControl: false,
});
const layer = L.tileLayer.iiif(new URLSearchParams(location.search).get('info'));
let loaded = false;
layer.on('loading', () => { loaded = false; });
layer.on('load', () => { loaded = true; });
layer.on('tileerror', (event) => console.error(`tileerror: ${event.tile.src}`));
layer.addTo(map);

const place = ({ x, y }) => L.CRS.Simple.pointToLatLng(L.point(x, y), layer.maxNativeZoom);

window.test = {
  idle: () => loaded && !layer.isLoading(),
  toScreen: (points) => points.map((point) => {
    const { x, y } = map.latLngToContainerPoint(place(point));
    return { x, y };
  }),
  // Puts an image point into the middle, at so many screen pixels per image pixel (a power of two).
  look: (x, y, zoom) => map.setView(place({ x, y }), layer.maxNativeZoom + Math.log2(zoom), { animate: false }),
};
