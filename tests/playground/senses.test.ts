/** Hear and see: digits spoken, classes of a camera and of a microphone that files stand in for, and what is said where there is none. */
import { readFileSync } from 'node:fs';
import { encodeWav, waveformOf } from '@nn/audio';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Devices, makeDevices, said } from './devices.ts';
import { type Host, host, isWhole } from './page.ts';

let pages: Host;
let devices: Devices;
beforeAll(async () => {
  devices = makeDevices();
  pages = await host({ devices });
});
afterEach(() => pages.clear());
afterAll(async () => {
  await pages.close();
  devices.remove();
});

/** How bright the corner of the camera's picture is: the room of the first scene is dark, that of the second bright. */
const isFirstScene = (page: Page): Promise<boolean> =>
  page.evaluate(() => {
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d');
    const video = document.querySelector('video');
    if (video === null || context === null) return false;
    context.drawImage(video, 0, 0, 300, 150);
    return (context.getImageData(280, 10, 1, 1).data[0] ?? 0) < 128;
  });

describe('without a device', () => {
  const deny = (name: string): string =>
    `navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', '${name}'); };`;

  test.each([
    ['NotAllowedError', '#place=senses', 'The browser does not let this page use the microphone'],
    ['NotFoundError', '#place=senses&kind=pictures', 'There is no camera here: connect one'],
    ['NotReadableError', '#place=senses&kind=sounds', 'The microphone does not answer'],
  ])('%s is told with the way on', async (name, hash, words) => {
    const { page, errors } = await pages.open(hash, {}, (context) => context.addInitScript(deny(name)));
    await page.getByRole('button', { name: /^Turn the (camera|microphone) on$/ }).click();
    const alert = page.getByRole('alert').filter({ hasText: words });
    await alert.getByText(/Without it, (play the words below|take (pictures|sounds) from files)\./).waitFor();
    await page.getByRole('button', { name: /^Turn the (camera|microphone) on$/ }).waitFor();
    expect(errors).toEqual([]);
  });

  test.runIf(isWhole)(
    'digits are played: seen in the spectrogram, and read by a network that learned other voices',
    async () => {
      const { page, until, errors } = await pages.open('#place=senses');
      await page.getByRole('button', { name: 'Train' }).click();
      await until('sense-accuracy', (share) => share > 95, 'above 95 %');
      await page.getByRole('button', { name: 'Pause' }).click();
      const picture = page.getByRole('img', { name: /^Spectrogram/ });
      await page.getByRole('button', { name: 'Play 6' }).click();
      await expect.poll(async () => Number(await picture.getAttribute('data-loudest'))).toBeGreaterThan(0);
      await page.locator('[data-fact="heard"]').getByText('6', { exact: true }).waitFor();
      expect(errors).toEqual([]);
    },
  );
});

describe.runIf(isWhole)('with devices', () => {
  test('spoken digits are heard from the microphone, and recordings are learned', async () => {
    const { page, until, errors } = await pages.open('#place=senses');
    await page.getByRole('button', { name: 'Train' }).click();
    // as the page asks for: to the end, where it rests by itself
    await page.getByText('Trained for 300 steps.').waitFor();
    expect(await until('sense-accuracy', Number.isFinite, 'there')).toBeGreaterThan(95);
    await page.getByRole('button', { name: 'Turn the microphone on' }).click();
    // the file says 3 7 1 again and again; a busy machine may miss a word
    const heard = (): Promise<string | null> => page.locator('[data-fact="heard"]').textContent();
    for (const digit of said) await expect.poll(heard, { timeout: 60_000 }).toContain(String(digit));
    const all = (await heard())?.split(' ') ?? [];
    expect(all.filter((word) => said.includes(Number(word))).length / all.length).toBeGreaterThan(0.5);
    await page.getByRole('button', { name: 'Record: 5' }).hover();
    await page.mouse.down();
    await page.waitForTimeout(300);
    await page.mouse.up();
    await until('sense-samples', (count) => count === 1, '1');
    expect(await page.locator('[data-fact="first-heard"]').textContent()).toMatch(/^[01] \/ 1$/);
    await page.getByRole('button', { name: 'Turn the microphone off' }).click();
    expect(errors).toEqual([]);
  });

  test('classes of a camera are collected, learned, tried, and taken along', async () => {
    const { page, until, errors } = await pages.open('#place=senses&kind=pictures');
    await page.getByRole('button', { name: 'Train' }).click();
    await page.getByText('Each class needs a sample or two').waitFor();
    await page.getByRole('textbox', { name: 'Name of class 1' }).fill('Disc');
    await page.getByRole('textbox', { name: 'Name of class 2' }).fill('Bar');
    await page.getByRole('button', { name: 'Turn the camera on' }).click();
    await page.locator('video').waitFor();
    const scene = (isFirst: boolean): Promise<void> =>
      expect.poll(() => isFirstScene(page), { interval: 50 }).toBe(isFirst);
    for (const [isFirst, name] of [
      [true, 'Disc'],
      [false, 'Bar'],
    ] as const) {
      await scene(!isFirst);
      await scene(isFirst);
      await page.getByRole('button', { name: `Hold to take pictures: ${name}` }).focus();
      await page.keyboard.down('Space');
      const before = isFirst ? 0 : await until('sense-samples', (count) => count >= 5, '5');
      await until('sense-samples', (count) => count >= before + 5, `${before} and 5`);
      await page.keyboard.up('Space');
    }
    await page.getByRole('button', { name: 'Train' }).click();
    await until('sense-steps', (steps) => steps >= 60, '60');
    await page.getByRole('button', { name: 'Pause' }).click();
    for (const isFirst of [true, false, true]) {
      await scene(!isFirst);
      await scene(isFirst);
      await page.locator(`.opinion[data-best="${isFirst ? 'Disc' : 'Bar'}"]`).waitFor({ timeout: 3000 });
    }
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download everything (zip)' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('nn-pictures.zip');
    const listing = readFileSync(await download.path()).toString('latin1');
    for (const name of ['predict.mts', 'model.safetensors', 'model.onnx', 'samples/1-Disc/1.png']) {
      expect(listing).toContain(name);
    }
    expect(errors).toEqual([]);
  });

  test('a device that is taken away is told; one that is left is closed', async () => {
    const keep = `const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (what) => (window.given = await ask(what));`;
    const { page, errors } = await pages.open('#place=senses&kind=pictures', {}, (context) =>
      context.addInitScript(keep),
    );
    await page.getByRole('button', { name: 'Turn the camera on' }).click();
    await page.locator('video').waitFor();
    const track = 'window.given.getTracks()[0]';
    await page.evaluate(`${track}.dispatchEvent(new Event('ended'))`);
    await page.getByRole('alert').getByText('The camera was taken away').waitFor();
    await page.getByRole('button', { name: 'Turn the camera on' }).click();
    await page.locator('video').waitFor();
    expect(await page.evaluate(`${track}.readyState`)).toBe('live');
    await page.getByRole('link', { name: 'Networks' }).click();
    await expect.poll(() => page.evaluate(`${track}.readyState`)).toBe('ended');
    expect(errors).toEqual([]);
  });

  test('a class of sounds is recorded, and one is read from a file', async () => {
    const { page, until, errors } = await pages.open('#place=senses&kind=sounds');
    await page.getByRole('button', { name: 'Turn the microphone on' }).click();
    await page.getByRole('button', { name: 'Hold to record: Class 1' }).hover();
    await page.mouse.down();
    await page.waitForTimeout(2500);
    await page.mouse.up();
    const hum = encodeWav(
      waveformOf(
        Float32Array.from({ length: 32_000 }, (_, i) => 0.3 * Math.sin(i / 3)),
        8000,
      ),
    );
    await page
      .getByLabel('Files for Class 2')
      .setInputFiles({ name: 'hum.wav', mimeType: 'audio/wav', buffer: Buffer.from(hum) });
    await until('sense-samples', (count) => count >= 9, '9');
    await page.getByRole('button', { name: 'Train' }).click();
    await until('sense-steps', (steps) => steps >= 40, '40');
    await until('sense-accuracy', (share) => share === 100, '100 %');
    await page
      .getByLabel('Files for Class 2')
      .setInputFiles({ name: 'none.wav', mimeType: 'audio/wav', buffer: Buffer.from('nothing') });
    await page.getByRole('alert').getByText('none.wav is no sound that this browser can read.').waitFor();
    expect(errors).toEqual([]);
  });
});
