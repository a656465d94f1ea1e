import { recording, reference } from '@nn/conformance';
import { describe, expect, it } from 'vitest';
import { BackendError, backup, move, parameter, recover, replace, tensor } from './index.ts';

describe('move', () => {
  it('brings parameters to another backend and keeps their values', async () => {
    const [first, second] = [reference(), reference()];
    const model = { weight: parameter([1, 2], { backend: first }) };
    await replace([[model.weight, model.weight.mul(3)]]);
    await move(model, second);
    expect(model.weight.backend).toBe(second);
    expect(await model.weight.array()).toEqual([3, 6]);
    await replace([[model.weight, model.weight.add(1)]]);
    expect(await model.weight.array()).toEqual([4, 7]);
  });

  it('names both backends where tensors of two meet', async () => {
    const a = tensor([1], { backend: reference() });
    const b = tensor([1], { backend: reference() });
    expect(() => a.add(b)).toThrow("add: its tensors live on two backends, 'reference' and 'reference'");
  });
});

describe('recover', () => {
  /** A model on a device that is lost after its first step, with or without a backup before. */
  async function lostModel(hasBackup: boolean) {
    const device = recording(reference());
    const model = { weight: parameter([1, 2], { backend: device, name: 'weight' }) };
    await replace([[model.weight, model.weight.mul(2)]]);
    if (hasBackup) await backup(model);
    await replace([[model.weight, model.weight.mul(2)]]);
    device.fail('download', new BackendError('', 'the device is gone', { lost: true }));
    await expect(model.weight.data()).rejects.toThrow('the device is gone');
    return model;
  }

  it('says of every use that the device is lost', async () => {
    const model = await lostModel(false);
    await expect(model.weight.mul(2).data()).rejects.toThrow(
      /The value of weight was on '.*', which is lost. Bring the model back/,
    );
  });

  it('goes back to the last backup, on another backend', async () => {
    const model = await lostModel(true);
    await recover(model, reference());
    expect(await model.weight.array()).toEqual([2, 4]);
  });

  it('changes nothing and names what has no backup', async () => {
    const model = await lostModel(false);
    await expect(recover(model, reference())).rejects.toThrow('recover: there is no backup of weight');
    await expect(model.weight.data()).rejects.toThrow('is lost');
  });

  it('can do so again: what came back is a copy, which steps may change', async () => {
    let device = recording(reference());
    const model = { weight: parameter([1, 2], { backend: device, name: 'weight' }) };
    await backup(model);
    for (let loss = 0; loss < 3; loss++) {
      await replace([[model.weight, model.weight.mul(2)]]);
      device.fail('download', new BackendError('', 'the device is gone', { lost: true }));
      await expect(model.weight.data()).rejects.toThrow('the device is gone');
      device = recording(reference({ limits: { inPlace: true } }));
      await recover(model, device);
      expect(await model.weight.array()).toEqual([1, 2]);
    }
  });

  it('does not mix moments', async () => {
    const device = recording(reference());
    const [first, second] = [
      parameter([1], { backend: device, name: 'first' }),
      parameter([1], { backend: device, name: 'second' }),
    ];
    await backup(first);
    await backup(second);
    await replace([
      [first, first.mul(2)],
      [second, second.mul(2)],
    ]);
    device.fail('download', new BackendError('', 'the device is gone', { lost: true }));
    await expect(first.data()).rejects.toThrow('the device is gone');
    await expect(recover([first, second], reference())).rejects.toThrow(
      'recover: the backup is of another moment for second: load a checkpoint, and call backup(model, optimizer), with all at once, now and then next time.',
    );
  });
});
