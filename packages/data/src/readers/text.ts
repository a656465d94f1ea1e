/**
 * Text from the bytes of a file: UTF-8 unless a byte order mark or the caller says otherwise, a guess only where asked.
 * What is no text is told by name, for people drop spreadsheets and pages on readers of tables.
 */
import { decodeUtf8, FormatError, ValueError } from '@nn/core';
import { type DataWarning, warningOf } from '../warning.ts';

export interface Decoded {
  readonly text: string;
  readonly encoding: string;
  readonly warnings: readonly DataWarning[];
}

/** The text of the bytes. `reader` and `name` begin the messages: who reads, and which file. */
export function decodeText(reader: string, name: string, bytes: Uint8Array, encoding?: string): Decoded {
  const [a, b, c, d] = bytes;
  if (a === 0x50 && b === 0x4b && c === 3 && d === 4) {
    throw new FormatError(
      `${reader}/zip`,
      `${name}: this is a ZIP archive, as spreadsheets (.xlsx, .ods) are: export it as CSV.`,
      { name },
    );
  }
  if (a === 0xd0 && b === 0xcf && c === 0x11 && d === 0xe0) {
    throw new FormatError(`${reader}/office`, `${name}: this is an old Office file (.xls): export it as CSV.`, {
      name,
    });
  }
  if (encoding !== undefined && encoding !== 'infer') {
    return { text: decodeAs(reader, name, bytes, encoding), encoding, warnings: [] };
  }
  if (a === 0xff && b === 0xfe)
    return { text: decodeAs(reader, name, bytes, 'utf-16le'), encoding: 'utf-16le', warnings: [] };
  if (a === 0xfe && b === 0xff)
    return { text: decodeAs(reader, name, bytes, 'utf-16be'), encoding: 'utf-16be', warnings: [] };
  const text = decodeUtf8(bytes);
  const head = bytes.subarray(0, 1000);
  if (text !== undefined && !head.includes(0)) return { text, encoding: 'utf-8', warnings: [] };
  if (encoding === undefined) {
    throw text === undefined
      ? new FormatError(
          `${reader}/not-utf-8`,
          `${name}: the bytes are not UTF-8 text; save the file as UTF-8, or pass its encoding, as 'gb18030' or 'windows-1252', or 'infer'.`,
          { name },
        )
      : new FormatError(
          `${reader}/utf-16`,
          `${name}: the text holds zero bytes, as UTF-16 does: pass encoding: 'utf-16le', or save the file as UTF-8.`,
          { name },
        );
  }
  const guess = guessEncoding(bytes);
  return {
    text: decodeAs(reader, name, bytes, guess),
    encoding: guess,
    warnings: [
      warningOf(
        `${reader}/encoding`,
        `the bytes are not UTF-8; they were read as ${guess}: pass encoding where that is wrong.`,
        { encoding: guess },
      ),
    ],
  };
}

function decodeAs(reader: string, name: string, bytes: Uint8Array, encoding: string): string {
  if (typeof TextDecoder !== 'function') {
    const text = /^utf-?8$/i.test(encoding) ? decodeUtf8(bytes) : undefined;
    if (text !== undefined) return text;
    throw new FormatError(
      `${reader}/no-decoder`,
      `${name}: there is no TextDecoder here, so only UTF-8 can be read, and this is not.`,
      { name },
    );
  }
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(encoding, { fatal: true });
  } catch {
    throw new ValueError(
      reader,
      `${name}: there is no encoding '${encoding}'; names are those of the web, as 'gb18030'.`,
      { encoding },
    );
  }
  try {
    return decoder.decode(bytes);
  } catch {
    throw new FormatError(`${reader}/not-text`, `${name}: the bytes are not text in ${encoding}.`, { name, encoding });
  }
}

/**
 * UTF-16 where every second byte of the beginning is zero; Chinese where the bytes above 127 come in pairs of the area
 * of GB 2312, in which letters of the West, single among ASCII, do not; the West otherwise.
 */
function guessEncoding(bytes: Uint8Array): string {
  const head = bytes.subarray(0, 200_000);
  const zeros = [0, 0];
  for (let i = 0; i < head.length; i++) if (head[i] === 0) zeros[i % 2] = zeros[i % 2]! + 1;
  if (zeros[1]! > head.length / 8) return 'utf-16le';
  if (zeros[0]! > head.length / 8) return 'utf-16be';
  let pairs = 0;
  let others = 0;
  for (let i = 0; i < head.length; i++) {
    const lead = head[i]!;
    if (lead < 0x80) continue;
    const trail = head[i + 1] ?? 0;
    if (lead >= 0xa1 && lead <= 0xf7 && trail >= 0xa1 && trail <= 0xfe) {
      pairs++;
      i++;
    } else others++;
  }
  return pairs > others * 4 ? 'gb18030' : 'windows-1252';
}
