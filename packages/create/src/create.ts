/**
 * A project from a template: which there are, and how their files become a folder. Owns names and the placeholders; what
 * the command asks and prints is `main.ts`', what a project holds is `templates/`.
 */
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';

/** What each template is. */
export const templates = {
  node: 'a program for Node in TypeScript: trains, saves, and predicts',
  page: 'a page with Vite that trains in a worker and stays free meanwhile',
  notebook: 'a script in cells, as a notebook: no build, Node alone',
} as const;

export type TemplateName = keyof typeof templates;

export interface CreateOptions {
  /** Default 'node'. */
  readonly template?: TemplateName;
  /** Of the packages that it depends on. Default: the version of this one. */
  readonly version?: string;
}

/** What was made. */
export interface CreatedProject {
  /** The folder, absolute. */
  readonly folder: string;
  /** Its name in package.json. */
  readonly name: string;
  /** The files, relative to the folder, sorted. */
  readonly files: readonly string[];
}

/** The folder of this package, wherever this file was bundled to. */
const home = dirname(createRequire(import.meta.url).resolve('@nn/create/package.json'));

/**
 * Makes a folder with a project in it. The folder may exist where it is empty but for `.git`; otherwise an Error says what is
 * in it, and nothing is written. Nothing is installed.
 *
 * @example
 * import { createProject } from '@nn/create';
 * import { mkdtemp } from 'node:fs/promises';
 * const folder = await mkdtemp('/tmp/create-');
 * const { files } = await createProject(`${folder}/first`, { template: 'notebook' });
 * console.log(files.join(' ')); // => .gitignore README.md notebook.mjs package.json
 */
export async function createProject(folder: string, options: CreateOptions = {}): Promise<CreatedProject> {
  const { template = 'node', version = await ownVersion() } = options;
  if (!Object.hasOwn(templates, template)) {
    throw new Error(
      `createProject: there is no template '${template}': take ${Object.keys(templates)
        .join(', ')
        .replace(/, (\w+)$/, ' or $1')}.`,
    );
  }
  const target = resolve(folder);
  const there = (await readdir(target).catch(nothingThere)).filter((name) => name !== '.git');
  if (there.length > 0) {
    throw new Error(
      `createProject: ${target} holds ${there.slice(0, 3).join(', ')}${there.length > 3 ? ' and more' : ''}: name a folder that is empty, or new.`,
    );
  }
  const name = packageName(basename(target));
  // beside the target first, so that there is a whole project or none
  const draft = `${target}.creating`;
  await rm(draft, { recursive: true, force: true });
  try {
    await cp(join(home, 'templates', template), draft, { recursive: true });
    // npm packs no file of this name
    await rename(join(draft, 'gitignore'), join(draft, '.gitignore'));
    const files = await filesOf(draft);
    for (const file of files) {
      const text = await readFile(join(draft, file), 'utf8');
      await writeFile(join(draft, file), text.replaceAll('{{name}}', name).replaceAll('{{version}}', version));
    }
    await mkdir(target, { recursive: true });
    for (const entry of await readdir(draft)) await rename(join(draft, entry), join(target, entry));
    return { folder: target, name, files };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function nothingThere(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  if (error.code === 'ENOTDIR') throw new Error(`createProject: ${error.path} is a file: name a folder.`);
  throw error;
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).sort();
}

/** What npm takes as a name: small letters, digits, and signs that need no quoting. */
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9~.-]+/g, '-')
    .replace(/^[.~-]+|-+$/g, '');
  return name === '' ? 'my-network' : name;
}

async function ownVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string };
  return version;
}
