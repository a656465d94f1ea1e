/**
 * The recipes of the guide "Many machines": shell scripts that bash reads and that do what they say with commands in the place of
 * Slurm's, manifests that parse and whose numbers fit each other.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const folder = join(import.meta.dirname, '../docs/clusters');
const work = mkdtempSync(join(tmpdir(), 'nn-recipes-'));
afterAll(() => rmSync(work, { recursive: true }));
const names = readdirSync(folder);
const isShell = (name: string): boolean => /\.(sh|sbatch)$/.test(name);
const manifests = names.filter((name) => name.endsWith('.yaml'));
// the parser that vite brings
const { parseDocument } = createRequire(fileURLToPath(import.meta.resolve('vite')))('yaml') as {
  parseDocument(
    text: string,
    options: object,
  ): {
    readonly errors: readonly Error[];
    readonly warnings: readonly Error[];
    toJS(): unknown;
  };
};

const bash = (args: readonly string[], environment: NodeJS.ProcessEnv = {}) => {
  const { status, stdout, stderr } = spawnSync('bash', [...args], {
    encoding: 'utf8',
    cwd: work,
    env: { ...process.env, ...environment },
  });
  return { status, stdout, stderr };
};

test('the guide names every recipe, and every recipe that it names is there', () => {
  const guide = readFileSync(join(folder, '../guides/many-machines.md'), 'utf8');
  const named = [...guide.matchAll(/\]\(..\/clusters\/([^)]+)\)/g)].map(([, name]) => name);
  expect([...new Set(named)].sort()).toEqual([...names].sort());
});

test.each(names.filter(isShell))('bash reads %s', (name) => {
  expect(bash(['-n', join(folder, name)])).toEqual({ status: 0, stdout: '', stderr: '' });
});

describe('restart.sh', () => {
  const script = join(folder, 'restart.sh');
  /** A program that fails so many times, with code 7. */
  const failing = (times: number): string[] => {
    const count = join(work, `count-${times}`);
    return ['bash', '-c', `echo x >> ${count}; [[ $(wc -l < ${count}) -gt ${times} ]] || exit 7`];
  };

  test('starts again until the program ends well', () => {
    const { status, stderr } = bash([script, '--max-restarts', '3', '--pause', '0', ...failing(2)]);
    expect(status).toBe(0);
    expect(stderr.trim().split('\n')).toEqual([
      'restart.sh: restart 1 of 3: the program ended with code 7',
      'restart.sh: restart 2 of 3: the program ended with code 7',
    ]);
  });

  test('gives up after so many times, with the code of the program', () => {
    const { status, stderr } = bash([script, '--max-restarts', '1', '--pause', '0', ...failing(5)]);
    expect(status).toBe(7);
    expect(stderr).toContain('restart.sh: the program ended with code 7, and was started 2 times: it ends here.');
  });

  test('passes a signal on, and does not start again', () => {
    const seen = join(work, 'seen');
    const program = `trap 'echo ended >> ${seen}; exit 3' TERM; echo began >> ${seen}; while true; do sleep 0.05; done`;
    const { status } = bash([
      '-c',
      `bash ${script} --pause 0 bash -c "${program}" & p=$!; until [[ -e ${seen} ]]; do sleep 0.05; done; kill -TERM $p; wait $p`,
    ]);
    expect([status, readFileSync(seen, 'utf8')]).toEqual([143, 'began\nended\n']);
  });

  test('says what it does not know', () => {
    expect(bash([script, '--retries', '3', 'true'])).toMatchObject({
      status: 2,
      stderr: 'restart.sh: there is no option --retries: --max-restarts N, --pause SECONDS.\n',
    });
    expect(bash([script]).stderr).toContain('restart.sh: which program?');
  });
});

describe('slurm.sbatch', () => {
  const script = join(folder, 'slurm.sbatch');
  const lines = readFileSync(script, 'utf8').split('\n');

  test('has its options before its first command, where Slurm reads them', () => {
    const last = lines.findLastIndex((line) => line.startsWith('#SBATCH'));
    expect(lines.slice(0, last).every((line) => line.startsWith('#'))).toBe(true);
    const options = lines.flatMap((line) => /^#SBATCH --([a-z-]+)(=\S+)?$/.exec(line)?.[1] ?? []);
    expect(options).toHaveLength(lines.filter((line) => line.startsWith('#SBATCH')).length);
    expect(options).toEqual(expect.arrayContaining(['nodes', 'ntasks-per-node', 'requeue', 'open-mode', 'signal']));
  });

  /** Runs it with commands of our own in the place of Slurm's; `srun` ends with a code. */
  function job(code: number, restarts?: number) {
    const said = join(work, 'said');
    for (const [name, body] of [
      ['srun', `echo "srun $*" >> ${said}; exit ${code}`],
      ['scontrol', `echo "scontrol $*" >> ${said}`],
    ] as const) {
      writeFileSync(join(work, name), `#!/usr/bin/env bash\n${body}\n`);
      chmodSync(join(work, name), 0o755);
    }
    rmSync(said, { force: true });
    const ended = bash([script], {
      PATH: `${work}:${process.env.PATH}`,
      SLURM_JOB_ID: '42',
      ...(restarts !== undefined && { SLURM_RESTART_COUNT: String(restarts) }),
    });
    return { ...ended, said: existsSync(said) ? readFileSync(said, 'utf8').trim().split('\n') : [] };
  }
  const start = 'srun --kill-on-bad-exit=1 --mpi=pmix node train.js --checkpoints /shared/run';

  test('is started again where the program fails, and no more than so many times', () => {
    expect(job(0)).toMatchObject({ status: 0, said: [start] });
    expect(job(9)).toMatchObject({ status: 0, said: [start, 'scontrol requeue 42'] });
    expect(job(9, 4).said).toEqual([start, 'scontrol requeue 42']);
    expect(job(9, 5)).toMatchObject({ status: 9, said: [start] });
  });
});

interface Pod {
  readonly spec: {
    readonly restartPolicy: string;
    readonly containers: readonly {
      readonly name: string;
      readonly image: string;
      readonly command: readonly string[];
      readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
    }[];
    readonly volumes?: readonly { readonly name: string }[];
  };
}

describe('manifests', () => {
  const read = (name: string): unknown => {
    const document = parseDocument(readFileSync(join(folder, name), 'utf8'), { strict: true, uniqueKeys: true });
    expect([...document.errors, ...document.warnings]).toEqual([]);
    return document.toJS();
  };
  const podsIn = (value: unknown): Pod[] => {
    if (typeof value !== 'object' || value === null) return [];
    const own = 'template' in value ? [value.template as Pod] : [];
    return [...own, ...Object.values(value).flatMap(podsIn)];
  };

  test.each(manifests)('%s parses, and its pods are whole', (name) => {
    const manifest = read(name) as { apiVersion: string; kind: string; metadata: { name: string }; spec: object };
    expect(manifest).toMatchObject({
      apiVersion: expect.stringMatching(/^\w[\w.]*\/v\w+$/),
      metadata: { name: 'train' },
    });
    const pods = podsIn(manifest.spec);
    expect(pods.length).toBeGreaterThan(0);
    for (const { spec } of pods) {
      expect(['Never', 'OnFailure']).toContain(spec.restartPolicy);
      const volumes = (spec.volumes ?? []).map((volume) => volume.name);
      for (const container of spec.containers) {
        expect(container).toMatchObject({ name: expect.any(String), image: expect.stringMatching(/:\w+$/) });
        for (const { name: volume, mountPath } of container.volumeMounts ?? []) {
          expect(volumes).toContain(volume);
          expect(mountPath).toMatch(/^\//);
        }
        // numbers among words would be refused
        expect((container.command ?? []).every((word) => typeof word === 'string')).toBe(true);
      }
    }
  });

  test('the MPI job starts as many ranks as its workers have slots', () => {
    const { spec } = read('kubernetes.yaml') as {
      spec: {
        slotsPerWorker: number;
        mpiReplicaSpecs: Record<'Launcher' | 'Worker', { replicas: number; template: Pod }>;
      };
    };
    const { Launcher, Worker } = spec.mpiReplicaSpecs;
    const command = Launcher.template.spec.containers[0]!.command;
    expect(Number(command[command.indexOf('-np') + 1])).toBe(spec.slotsPerWorker * Worker.replicas);
    expect(Launcher.replicas).toBe(1);
    expect(command.slice(0, 2)).toEqual(['restart.sh', '--max-restarts']);
  });

  test('the indexed job starts every index', () => {
    const { spec } = read('kubernetes-one-machine.yaml') as { spec: Record<string, unknown> };
    expect(spec).toMatchObject({ completionMode: 'Indexed', completions: 3, parallelism: 3, backoffLimitPerIndex: 5 });
  });
});
