// A server of our own, whose images are for those who log in.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const USER = { name: 'ann', password: 'correct horse battery' };

const here = dirname(fileURLToPath(import.meta.url));

const configuration = (passwordHash) => `
[access]
auth1 = true
[[access.rules]]
roles = ["staff"]
services = ["login"]
[access.services.login]
label = "Log in"
heading = "Restricted material"
note = "Members of staff see it."
confirm_label = "Go on"
error_heading = "Not for everyone"
error_note = "Ask at the desk."
[access.users.${USER.name}]
password_hash = "${passwordHash}"
roles = ["staff"]
`;

function freePort() {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function isThere(url, server) {
  for (let attempt = 0; attempt < 100 && server.exitCode === null; attempt++) {
    if (await fetch(`${url}/health/live`).then((answer) => answer.ok, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the server did not start');
}

// Resolves to { url, stop }. AZULEJO_BINARY names the program.
export async function serveProtected() {
  const program = process.env.AZULEJO_BINARY;
  if (!program) throw new Error('AZULEJO_BINARY names the program under test');
  const folder = mkdtempSync(join(tmpdir(), 'azulejo-protected-'));
  execFileSync(process.execPath, [join(here, 'mosaic.js'), join(folder, 'images')]);
  const hash = execFileSync(program, ['hash-secret'], { input: `${USER.password}\n`, encoding: 'utf8' }).trim();
  const file = join(folder, 'azulejo.toml');
  writeFileSync(file, configuration(hash));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  // Variables of the tests would be settings to it.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AZULEJO_')));
  env.AZULEJO_LOG__LEVEL = 'error';
  const server = spawn(program, ['serve', join(folder, 'images'), '--config', file, '--listen', `127.0.0.1:${port}`], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const stop = async () => {
    server.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true });
  };
  try {
    await isThere(url, server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}
