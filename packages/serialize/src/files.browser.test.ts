import { expect, it } from 'vitest';
import { readBytes, writeFileAtomic } from './files.ts';

it('says what to use instead of a path', async () => {
  await expect(readBytes('load', 'model.safetensors')).rejects.toThrow(
    "files: there is no file system here for 'model.safetensors'; use bytes or a Blob instead of a path.",
  );
  await expect(writeFileAtomic('model.safetensors', new Uint8Array(1))).rejects.toMatchObject({ code: 'value' });
});
