/**
 * Bytes as characters that can be printed, as GPT-2 writes them in its vocabulary: 'Ġ' is a space. Owns the alphabet of 256;
 * every text is some of them, so nothing is unknown. (Radford et al. 2019.)
 */

/** The character of each byte: those that print stand for themselves, the others follow from 256 on. */
export const byteCharacters: readonly string[] = /* @__PURE__ */ makeByteCharacters();

function makeByteCharacters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const prints = (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
    return String.fromCharCode(prints ? byte : next++);
  });
}

const encoder = /* @__PURE__ */ new TextEncoder();

/** The UTF-8 of a text, a character for each byte. */
export function bytesAsCharacters(text: string): string {
  let result = '';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 128) return Array.from(encoder.encode(text), (byte) => byteCharacters[byte]!).join('');
    result += byteCharacters[code]!;
  }
  return result;
}

const byteOf: ReadonlyMap<string, number> = /* @__PURE__ */ makeByteOf();

function makeByteOf(): Map<string, number> {
  return new Map(byteCharacters.map((character, byte) => [character, byte]));
}

/** The bytes that are written so; other characters are those of their UTF-8. */
export function bytesOfCharacters(written: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of written) {
    const byte = byteOf.get(character);
    if (byte === undefined) bytes.push(...encoder.encode(character));
    else bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** The text whose UTF-8 is written so; what is no UTF-8 becomes U+FFFD, as in a token that ends inside a character. */
export function textOfBytes(written: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytesOfCharacters(written));
}
