/**
 * A registry for npm packages in memory, for rehearsals: what is published is kept until it closes, and everything else is
 * 404. It never asks another registry. Listens on 127.0.0.1 only.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

export const token = 'rehearsal';

/** @typedef {{ name: string, 'dist-tags': Record<string, string>, versions: Record<string, Published> }} Packument */
/** @typedef {{ name: string, version: string, dist: { tarball: string, integrity?: string, shasum?: string }, dependencies?: Record<string, string>, exports?: unknown, license?: string, scripts?: Record<string, string> }} Published */

/** @typedef {object} Registry
 * @property {string} address with a slash at the end
 * @property {ReadonlyMap<string, Packument>} packages
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<Registry>} */
export async function openRegistry() {
  /** @type {Map<string, Packument>} */
  const packages = new Map();
  /** @type {Map<string, Buffer>} */
  const tarballs = new Map();
  let address = '';

  /** @param {string} body */
  const publish = (body) => {
    const { _attachments: attachments, ...document } = JSON.parse(body);
    /** @type {Packument} */
    const known = packages.get(document.name) ?? { name: document.name, 'dist-tags': {}, versions: {} };
    for (const version of Object.keys(document.versions)) {
      if (known.versions[version])
        return { status: 403, answer: { error: `${document.name} ${version} is there already` } };
    }
    const [file] = Object.values(attachments);
    const data = Buffer.from(/** @type {{ data: string }} */ (file).data, 'base64');
    for (const [version, manifest] of Object.entries(document.versions)) {
      const integrity = `sha512-${createHash('sha512').update(data).digest('base64')}`;
      const shasum = createHash('sha1').update(data).digest('hex');
      if (manifest.dist?.integrity && manifest.dist.integrity !== integrity) {
        return { status: 400, answer: { error: `${document.name}: the file is not what its integrity says` } };
      }
      const path = `${document.name}/-/${document.name.split('/').pop()}-${version}.tgz`;
      tarballs.set(path, data);
      known.versions[version] = { ...manifest, dist: { tarball: `${address}${path}`, integrity, shasum } };
    }
    Object.assign(known['dist-tags'], document['dist-tags']);
    packages.set(document.name, known);
    return { status: 201, answer: { success: true } };
  };

  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '/').slice(1).split('?')[0] ?? '');
    /** @param {number} status @param {unknown} answer */
    const reply = (status, answer) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    const tarball = tarballs.get(path);
    if (request.method === 'GET' && tarball) {
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(tarball);
    } else if (request.method === 'GET' && packages.has(path)) {
      reply(200, packages.get(path));
    } else if (request.method === 'PUT') {
      /** @type {Buffer[]} */
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        if (request.headers.authorization !== `Bearer ${token}`)
          return reply(401, { error: 'not the token of the rehearsal' });
        const { status, answer } = publish(Buffer.concat(chunks).toString());
        return reply(status, answer);
      });
    } else {
      reply(404, { error: 'not found' });
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the registry has no port');
  address = `http://127.0.0.1:${bound.port}/`;
  return {
    address,
    packages,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
