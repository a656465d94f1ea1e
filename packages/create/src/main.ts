#!/usr/bin/env node
/** The command of this package: `npm create @nn`. Asks where somebody is there to answer. */
import { relative } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { createProject, type TemplateName, templates } from '@nn/create';

const names = Object.keys(templates) as TemplateName[]; // the cast: these are the keys
const usage = `Starts a project with the packages of nn.

  npm create @nn@latest FOLDER -- --template NAME

${names.map((name) => `  ${name.padEnd(10)} ${templates[name]}`).join('\n')}`;

const complain = (text: string): number => {
  process.stderr.write(`${text}\n`);
  return 1;
};

/** The answer, or what is taken without one. */
async function ask(question: string, otherwise: string): Promise<string> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return otherwise;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`${question} (${otherwise}) `);
  terminal.close();
  return answer.trim() || otherwise;
}

/** Runs the command; the result is the exit code. */
async function run(words: readonly string[]): Promise<number> {
  let folder: string | undefined;
  let template: string | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const [flag, value] = word.split('=', 2);
    if (flag === '--help' || flag === '-h') {
      process.stdout.write(`${usage}\n`);
      return 0;
    }
    if (flag === '--template' || flag === '-t') {
      template = value ?? words[++at];
      if (template === undefined) return complain(`--template needs a name: ${names.join(', ')}.`);
    } else if (word.startsWith('-')) return complain(`There is no option ${word}.\n\n${usage}`);
    else if (folder === undefined) folder = word;
    else return complain(`One folder at a time: '${folder}' and '${word}' were given.`);
  }
  folder ??= await ask('Which folder?', 'my-network');
  template ??= await ask(`Which template: ${names.join(', ')}?`, 'node');
  try {
    const { folder: made } = await createProject(folder, { template: template as TemplateName }); // the cast: it is checked there
    const place = relative(process.cwd(), made);
    const manager = /^(pnpm|yarn|bun)/.exec(process.env.npm_config_user_agent ?? '')?.[1] ?? 'npm';
    const steps = [...(place === '' ? [] : [`cd ${place}`]), `${manager} install`, `${manager} start`];
    process.stdout.write(`Made ${made}. Next:\n\n${steps.map((step) => `  ${step}`).join('\n')}\n`);
    return 0;
  } catch (error) {
    return complain((error as Error).message.replace(/^createProject: /, ''));
  }
}

run(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
