/** Bytes as text, exactly (base64): JSON of plain numbers is three times as long. Where numbers are packed their low byte is first. */
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The bytes of a typed array as base64. */
export function pack({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): string {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  const pieces: string[] = [];
  let piece = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const bits = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    piece += letters[bits >> 18]! + letters[(bits >> 12) & 63]! + letters[(bits >> 6) & 63]! + letters[bits & 63]!;
    if (piece.length >= 8192) {
      pieces.push(piece);
      piece = '';
    }
  }
  pieces.push(piece);
  return pieces.join('');
}

/** The bytes of a text that `pack` wrote, or null where it is not one of so many. */
export function unpack(text: unknown, length: number): ArrayBuffer | null {
  if (typeof text !== 'string' || text.length !== 4 * Math.ceil(length / 3)) return null;
  const bytes = new Uint8Array(length);
  const codes = new Map([...letters].map((letter, code) => [letter.charCodeAt(0), code]));
  for (let at = 0, to = 0; at < text.length; at += 4, to += 3) {
    let bits = 0;
    for (let i = 0; i < 4; i++) {
      const code = codes.get(text.charCodeAt(at + i));
      if (code === undefined) return null;
      bits = (bits << 6) | code;
    }
    bytes[to] = bits >> 16; // past the end nothing is written
    bytes[to + 1] = bits >> 8;
    bytes[to + 2] = bits;
  }
  return bytes.buffer;
}
