/**
 * Whether printed text keeps a promise. White space and kinds of quotes do not count, `...` stands for anything, a number
 * is right when it rounds to the digits that are promised, and `Float32Array(3) [1, 2, 3]` may be promised as `[1, 2, 3]`.
 */

/** @param {string} promised @param {string} printed */
export function keepsPromise(promised, printed) {
  const plain = /Array\(/.test(promised) ? printed : printed.replace(/\b\w+Array\(\d+\) (?=\[)/g, '');
  return matches(tokens(promised), 0, tokens(plain), 0);
}

const number = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i;

/** Numbers, words, dots and single signs. @param {string} text */
function tokens(text) {
  return (
    text
      .replace(/["`]/g, "'")
      .match(/\.{3}|…|(?<![\w)\]])[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?(?!\w)|\w+|[^\s\w]/gi) ?? []
  );
}

/** @param {string[]} promised @param {number} i @param {string[]} printed @param {number} j @returns {boolean} */
function matches(promised, i, printed, j) {
  for (; i < promised.length; i++, j++) {
    const token = promised[i] ?? '';
    if (token === '...' || token === '…') {
      for (let rest = j; rest <= printed.length; rest++) if (matches(promised, i + 1, printed, rest)) return true;
      return false;
    }
    if (!same(token, printed[j])) return false;
  }
  return j === printed.length;
}

/** @param {string} promised @param {string | undefined} printed */
function same(promised, printed) {
  if (promised === printed) return true;
  if (printed === undefined || !number.test(promised) || !number.test(printed)) return false;
  const [mantissa = '', exponent = '0'] = promised.toLowerCase().split('e');
  const decimals = mantissa.split('.')[1]?.length ?? 0;
  const wanted = Number(promised);
  // A whole number is meant exactly, but for the noise of float32.
  const tolerance = decimals > 0 ? 0.5000001 * 10 ** (Number(exponent) - decimals) : 1e-6 * Math.abs(wanted);
  return Math.abs(Number(printed) - wanted) <= tolerance;
}
