// Opens the info.json named in the address, and gives the tests what they need: `idle`, `toScreen`, `look`.

const viewer = OpenSeadragon({
  id: 'viewer',
  tileSources: new URLSearchParams(location.search).get('info'),
  crossOriginPolicy: 'Anonymous',
  drawer: 'canvas',
  showNavigationControl: false,
  animationTime: 0,
  immediateRender: true,
});
viewer.addHandler('open-failed', (event) => console.error(`open-failed: ${event.message}`));
viewer.addHandler('tile-load-failed', (event) => console.error(`tile-load-failed: ${event.message}`));

window.test = {
  idle: () => viewer.world.getItemCount() === 1 && viewer.world.getItemAt(0).getFullyLoaded(),
  toScreen: (points) => points.map(({ x, y }) => {
    const place = viewer.world.getItemAt(0).imageToViewerElementCoordinates(new OpenSeadragon.Point(x, y));
    return { x: place.x, y: place.y };
  }),
  // Puts an image point into the middle, at so many screen pixels per image pixel.
  look: (x, y, zoom) => {
    const item = viewer.world.getItemAt(0);
    viewer.viewport.zoomTo(item.imageToViewportZoom(zoom), null, true);
    viewer.viewport.panTo(item.imageToViewportCoordinates(x, y), true);
    viewer.forceRedraw();
  },
};
