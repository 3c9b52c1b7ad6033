// A viewer that does what the IIIF Authorization Flow 2.0 asks of clients (section 4, workflow), and nothing else: no viewer on npm does yet.

const element = (id) => document.getElementById(id);
const say = (text) => { element('status').textContent = text; };
const text = (map) => (map ? Object.values(map)[0].join(' ') : '');
const list = (value) => (Array.isArray(value) ? value : value ? [value] : []);
const ofType = (service, type) => list(service?.service).find((each) => each.type === type);

let viewer;
let token;

async function information(id) {
  return (await fetch(`${id}/info.json`)).json();
}

// Without cookies, as a script of another origin asks.
async function probe(service) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(service.id, { headers, credentials: 'omit' });
  if (answer.status !== 200) throw new Error(`the probe answered with ${answer.status}`);
  return answer.json();
}

// The tiles are loaded as images are: with cookies, if the browser has any for them.
function show(info) {
  viewer?.destroy();
  viewer = OpenSeadragon({ id: 'viewer', tileSources: info, crossOriginPolicy: false, drawer: 'canvas', showNavigationControl: false, animationTime: 0, immediateRender: true });
}

function hide() {
  viewer?.destroy();
  viewer = undefined;
}

function closed(opened) {
  return new Promise((resolve) => {
    const look = setInterval(() => {
      if (!opened.closed) return;
      clearInterval(look);
      resolve();
    }, 50);
  });
}

function withOrigin(id) {
  const url = new URL(id);
  url.searchParams.set('origin', location.origin);
  return url;
}

// The token service in a frame that nobody sees, and its message.
function askForToken(service) {
  const messageId = crypto.randomUUID();
  const url = withOrigin(service.id);
  url.searchParams.set('messageId', messageId);
  const frame = document.createElement('iframe');
  frame.style.display = 'none';
  frame.src = url;
  return new Promise((resolve, reject) => {
    const listen = ({ origin, data }) => {
      if (origin !== new URL(service.id).origin || data.messageId !== messageId) return;
      removeEventListener('message', listen);
      frame.remove();
      resolve(data);
    };
    addEventListener('message', listen);
    setTimeout(() => reject(new Error('no message of the token service')), 10_000);
    document.body.append(frame);
  });
}

function offer(access) {
  element('heading').textContent = text(access.heading);
  element('note').textContent = text(access.note);
  element('confirm').textContent = text(access.confirmLabel) || text(access.label);
  element('access').hidden = false;
  return new Promise((resolve) => { element('confirm').onclick = resolve; });
}

async function getThrough(access) {
  if (access.profile !== 'external') {
    if (access.profile === 'active') await offer(access);
    await closed(open(withOrigin(access.id)));
    element('access').hidden = true;
  }
  const message = await askForToken(ofType(access, 'AuthAccessTokenService2'));
  if (message.type !== 'AuthAccessToken2') return say(`${message.profile}: ${text(message.heading)}`);
  token = message.accessToken;
}

async function go(id) {
  const info = await information(id);
  const service = list(info.service).find((each) => each.type === 'AuthProbeService2');
  if (!service) return show(info);
  for (const access of [undefined, ...list(service.service)]) {
    if (access) await getThrough(access);
    const result = await probe(service);
    if (result.status === 200) {
      say('open');
      show(info);
      return letOut(access, id);
    }
    say(`${result.status}: ${text(result.heading)} ${text(result.note)}`);
    if (result.substitute) show(await information(result.substitute[0].id));
  }
}

function letOut(access, id) {
  const logout = ofType(access, 'AuthLogoutService2');
  if (!logout) return;
  const button = element('logout');
  button.textContent = text(logout.label);
  button.hidden = false;
  button.onclick = async () => {
    await closed(open(logout.id));
    button.hidden = true;
    hide();
    // The token as it was: whether the server still takes it.
    await go(id);
  };
}

window.test = {
  idle: () => viewer?.world.getItemCount() === 1 && viewer.world.getItemAt(0).getFullyLoaded(),
  isEmpty: () => viewer === undefined,
  toScreen: (points) => points.map(({ x, y }) => {
    const place = viewer.world.getItemAt(0).imageToViewerElementCoordinates(new OpenSeadragon.Point(x, y));
    return { x: place.x, y: place.y };
  }),
};

go(new URLSearchParams(location.search).get('id')).catch((error) => say(String(error)));
