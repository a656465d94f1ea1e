/**
 * Addresses of files: https as it is, and those of the Hugging Face hub, which name an owner, a repository and a file. It
 * knows text alone; what is fetched is `remote.ts`.
 */
import { excerpt, ValueError } from '@nn/core';

const hub = 'https://huggingface.co';

/**
 * The address to fetch. 'hf://owner/name/folder/file@revision' is a file of the hub, or of the mirror; without a revision that of
 * 'main'; 'hf://owner/name@revision/file' is the same. Throws a `ValueError` for what is no address, or carries a password.
 */
export function addressOf(source: string, mirror: string = hub): string {
  const text = /^hf:/i.test(source) ? hubAddress(source, mirror) : source;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new ValueError('download', `'${excerpt(source, 200)}' is no address.`, { source });
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new ValueError('download', `'${excerpt(source, 200)}' is no address of https or hf.`, { source });
  if (url.username !== '' || url.password !== '') {
    throw new ValueError(
      'download',
      "an address may hold no name and password: send them in a header, { headers: { Authorization: 'Basic ...' } }.",
    );
  }
  url.hash = '';
  return url.href;
}

function hubAddress(source: string, mirror: string): string {
  const path = source.slice('hf://'.length).replace(/^models\//, '');
  const kind = /^(datasets|spaces)\//.exec(path)?.[0] ?? '';
  const parts = path.slice(kind.length).split('/');
  const [owner = '', named = ''] = parts;
  const [name = '', early] = named.split('@');
  let [file = '', late]: (string | undefined)[] = [parts.slice(2).join('/')];
  // A revision may have slashes ('refs/pr/1'), a file may not begin behind an @.
  const at = early === undefined ? file.lastIndexOf('@') : -1;
  if (at >= 0) [file, late] = [file.slice(0, at), file.slice(at + 1)];
  const revision = early ?? late ?? 'main';
  if (owner === '' || name === '' || file === '' || revision === '') {
    throw new ValueError(
      'download',
      `'${excerpt(source, 200)}' names no file of the hub: hf://owner/name/model.safetensors, or with a revision hf://owner/name/model.safetensors@main.`,
      { source },
    );
  }
  const encoded = file.split('/').map(encodeURIComponent).join('/');
  return `${mirror.replace(/\/+$/, '')}/${kind}${encodeURIComponent(owner)}/${encodeURIComponent(name)}/resolve/${encodeURIComponent(revision)}/${encoded}`;
}

/** The address of a file that lies beside another one. */
export function addressBeside(address: string, name: string): string {
  const url = new URL(encodeURIComponent(name), address);
  url.search = '';
  return url.href;
}

/** An address as it may stand in a message: a query may hold a token. */
export function shownAddress(address: string): string {
  return excerpt(address.replace(/\?.*$/, '?...'), 200);
}
