/** The C of the first addon, which all programs share: products, called from WebAssembly, and the threads of native code. */
import { crew, crewHead } from './crew.ts';
import { nodeApi } from './node-api.ts';
import { callOf, functions, products } from './products.ts';
import { vectorsFor } from './vectors.ts';

const wrapped = Object.entries(functions).map(
  ([name, count]) => `
static napi_value ${name}(napi_env env, napi_callback_info info) {
  int32_t words[10];
  char *const base = arguments(env, info, ${count}, words)->base;
  ${callOf(name)};
  return 0;
}`,
);
const added = Object.keys(functions).map((name) => `  add(env, to, "${name}", ${name}, data, keeper);`);

export const addonSource: string = `${vectorsFor(products)}${nodeApi}${crewHead}${products}${wrapped.join('')}${crew}
static void addAll(napi_env env, napi_value to, void *data, napi_value keeper) {
${added.join('\n')}
}
`;
