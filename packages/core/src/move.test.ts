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
    device.fail('download', new BackendError('the device is gone', { lost: true }));
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
});
