// Opens the manifest named in the address, and gives the tests what they need: `idle`, `toScreen`.

const ID = 'only';

Mirador.viewer({
  id: 'viewer',
  window: { allowClose: false, allowMaximize: false, sideBarPanel: 'info' },
  windows: [{ id: ID, manifestId: new URLSearchParams(location.search).get('manifest'), thumbnailNavigationPosition: 'far-bottom' }],
  workspaceControlPanel: { enabled: false },
  osdConfig: { animationTime: 0, immediateRender: true, drawer: 'canvas' },
});

const openSeadragon = () => Mirador.OSDReferences.get(ID)?.current;

window.test = {
  // Shows an image of this width, and all of it that is to be loaded.
  idle: (width) => {
    const world = openSeadragon()?.world;
    if (world?.getItemCount() !== 1) return false;
    const item = world.getItemAt(0);
    return item.source.width === width && item.getFullyLoaded();
  },
  toScreen: (points) => points.map(({ x, y }) => {
    const viewer = openSeadragon();
    const place = viewer.viewport.pixelFromPoint(viewer.world.getItemAt(0).imageToViewportCoordinates(x, y), true);
    const { left, top } = viewer.element.getBoundingClientRect();
    return { x: left + place.x, y: top + place.y };
  }),
};
