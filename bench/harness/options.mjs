/** The command line of `npm run bench`. */

export const usage = `npm run bench -- [options]
  --only NAME        workloads whose name contains NAME; may be repeated
  --libraries A,B    only these libraries (and what is compared with them)
  --quick            few rounds, few sizes: to see that all works, not to compare
  --node NODE        run the libraries with this Node: a path, or a version such as 24 (npm package 'node')
  --threads [N]      also nn, onnxruntime-web and PyTorch with N threads (2 by default)
  --no-first         leave out first steps and memory
  --browser          GPU backends in Chromium instead of CPU backends in Node
  --core             cost of graphs in core, instead of comparisons
  --profile          kernels of nn's training steps, instead of comparisons
  --publish          write the results into docs/ and render docs/benchmarks.md
  --report           only render docs/benchmarks.md from the results in docs/
  --source           nn from its sources (slower start), not from its build`;

/** @param {readonly string[]} args */
export function parseOptions(args) {
  const options = {
    /** @type {string[]} */ only: [],
    /** @type {string[] | null} */ libraries: null,
    /** @type {string | null} */ node: null,
    threads: 1,
    quick: false,
    first: true,
    browser: false,
    core: false,
    profile: false,
    publish: false,
    report: false,
    source: false,
    help: false,
  };
  const rest = [...args];
  const value = (/** @type {string} */ name) => {
    const next = rest.shift();
    if (next === undefined) throw new Error(`${name} needs a value.\n${usage}`);
    return next;
  };
  while (rest.length > 0) {
    const name = rest.shift() ?? '';
    if (name === '--only') options.only.push(value(name));
    else if (name === '--libraries') options.libraries = value(name).split(',');
    else if (name === '--node') options.node = value(name);
    else if (name === '--threads') options.threads = /^\d+$/.test(rest[0] ?? '') ? Number(rest.shift()) : 2;
    else if (name === '--no-first') options.first = false;
    else if (/^--(quick|browser|core|profile|publish|report|source|help)$/.test(name)) {
      options[/** @type {'quick'} */ (name.slice(2))] = true;
    } else throw new Error(`${name}: not an option.\n${usage}`);
  }
  return options;
}
