/** A picture that a task made, as a PNG beside the models. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodePng, type Image } from '@nn/vision';
import { type Context, shownPath } from '../context.ts';

/** Writes the picture and says so: `what` is what is to be seen on it. */
export async function savePicture(name: string, image: Image, what: string, context: Context): Promise<void> {
  const { output, terminal } = context;
  await mkdir(output, { recursive: true });
  const path = join(output, name);
  await writeFile(path, await encodePng(image));
  terminal.text(`  ${what}: ${shownPath(path, context)}.`);
}
