/** Projects from templates: what is written, and that nothing is where something is wrong. What they do is tried from the packed packages. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createProject, type TemplateName, templates } from './create.ts';

const place = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'nn-create-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
const names = Object.keys(templates) as TemplateName[];

test.each(names)('%s has a name, our versions and no placeholder left', async (template) => {
  const folder = join(place(), 'Höhe & Tiefe');
  const { files, name } = await createProject(folder, { template, version: '1.2.3' });
  expect(name).toBe('h-he-tiefe');
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  expect(manifest.name).toBe('h-he-tiefe');
  const ours = Object.entries(manifest.dependencies);
  expect(ours.length).toBeGreaterThan(3);
  expect(ours.filter(([dependency, range]) => !(dependency.startsWith('@nn/') && range === '^1.2.3'))).toEqual([]);
  for (const file of files) expect(readFileSync(join(folder, file), 'utf8'), file).not.toMatch(/\{\{/);
  expect(files).toEqual(expect.arrayContaining(['.gitignore', 'README.md', 'package.json']));
  expect(readdirSync(join(folder, '..'))).toEqual(['Höhe & Tiefe']);
});

test('every import of a template is among its dependencies', async () => {
  for (const template of names) {
    const folder = join(place(), template);
    const { files } = await createProject(folder, { template });
    const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const text = files
      .filter((file) => /\.(ts|mjs)$/.test(file))
      .map((file) => readFileSync(join(folder, file), 'utf8'));
    const imported = new Set(text.join('\n').match(/(?<=from ')@nn\/[\w-]+/g));
    expect([template, Object.keys(dependencies).sort()]).toEqual([template, [...imported].sort()]);
  }
});

test('the version is that of this package, whose releases go together', async () => {
  const folder = join(place(), 'project');
  await createProject(folder);
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'));
  expect(readFileSync(join(folder, 'package.json'), 'utf8')).toContain(`"@nn/core": "^${version}"`);
});

test('a folder with something in it is left as it is; an empty one, or one with .git, is taken', async () => {
  const folder = place();
  mkdirSync(join(folder, '.git'));
  await createProject(folder, { template: 'notebook' });
  expect(existsSync(join(folder, 'notebook.mjs'))).toBe(true);
  rmSync(join(folder, 'README.md'));
  await expect(createProject(folder)).rejects.toThrow(
    `createProject: ${folder} holds .gitignore, notebook.mjs, package.json: name a folder that is empty, or new.`,
  );
  expect(readdirSync(folder)).not.toContain('README.md');
  const file = join(folder, 'file');
  writeFileSync(file, '');
  await expect(createProject(file)).rejects.toThrow(`createProject: ${file} is a file: name a folder.`);
  const unknown = 'react' as TemplateName; // the cast: as JavaScript may
  await expect(createProject(join(folder, 'new'), { template: unknown })).rejects.toThrow(
    "createProject: there is no template 'react': take node, page or notebook.",
  );
  expect(existsSync(join(folder, 'new'))).toBe(false);
});
