/**
 * Keys of two parties and what is made of them, by WebCrypto, which Node and every browser have: ECDH on P-256, HKDF with
 * SHA-256, AES. Owns no protocol.
 */

type Bytes = Uint8Array<ArrayBuffer>;
const curve = { name: 'ECDH', namedCurve: 'P-256' } as const;
const subtle = (): SubtleCrypto => globalThis.crypto.subtle;

export interface KeyPair {
  readonly privateKey: CryptoKey;
  /** 65 bytes: 4, x, y. */
  readonly publicBytes: Bytes;
}

export async function makeKeyPair(): Promise<KeyPair> {
  const { privateKey, publicKey } = await subtle().generateKey(curve, true, ['deriveBits']);
  return { privateKey, publicBytes: new Uint8Array(await subtle().exportKey('raw', publicKey)) };
}

/** The 32 bytes that are the private key. */
export async function privateBytes({ privateKey }: KeyPair): Promise<Bytes> {
  const { d = '' } = await subtle().exportKey('jwk', privateKey);
  return Uint8Array.from(atob(d.replace(/-/g, '+').replace(/_/g, '/')), (letter) => letter.charCodeAt(0));
}

/** A private key from its bytes, beside the public one that belongs to it. Rejects where they do not fit. */
export function privateKeyOf(bytes: Uint8Array, publicBytes: Uint8Array): Promise<CryptoKey> {
  const text = (part: Uint8Array): string =>
    btoa(String.fromCharCode(...part))
      .replace(/\+/g, '-')
      .replace(/\//g, '_')
      .replace(/=/g, '');
  const key = {
    kty: 'EC',
    crv: 'P-256',
    d: text(bytes),
    x: text(publicBytes.subarray(1, 33)),
    y: text(publicBytes.subarray(33)),
  };
  return subtle().importKey('jwk', key, curve, false, ['deriveBits']);
}

/** What two parties agree on, for one use. */
export async function agree(privateKey: CryptoKey, publicBytes: Bytes, use: string): Promise<Bytes> {
  const other = await subtle().importKey('raw', publicBytes, curve, false, []);
  const shared = await subtle().deriveBits({ name: 'ECDH', public: other }, privateKey, 256);
  const material = await subtle().importKey('raw', shared, 'HKDF', false, ['deriveBits']);
  const info = new TextEncoder().encode(`nn secure aggregation ${use}`);
  return new Uint8Array(
    await subtle().deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(32), info }, material, 256),
  );
}

/** `length` words that a seed of 32 bytes alone decides: AES-CTR of zeros. */
export async function expandSeed(seed: Bytes, length: number): Promise<Uint32Array> {
  const key = await subtle().importKey('raw', seed, 'AES-CTR', false, ['encrypt']);
  const counter = new Uint8Array(16);
  const bytes = await subtle().encrypt({ name: 'AES-CTR', counter, length: 64 }, key, new Uint8Array(4 * length));
  const view = new DataView(bytes);
  // little endian on every machine
  return Uint32Array.from({ length }, (_, i) => view.getUint32(4 * i, true));
}

/** Encrypts, so that what was changed on the way is noticed: 12 bytes of nonce, then AES-GCM. */
export async function seal(keyBytes: Bytes, plain: Bytes): Promise<Bytes> {
  const key = await subtle().importKey('raw', keyBytes, 'AES-GCM', false, ['encrypt']);
  const iv = globalThis.crypto.getRandomValues(new Uint8Array(12));
  const sealed = new Uint8Array(await subtle().encrypt({ name: 'AES-GCM', iv }, key, plain));
  const all = new Uint8Array(12 + sealed.length);
  all.set(iv);
  all.set(sealed, 12);
  return all;
}

/** Rejects where the bytes were not sealed with this key. */
export async function unseal(keyBytes: Bytes, sealed: Bytes): Promise<Bytes> {
  const key = await subtle().importKey('raw', keyBytes, 'AES-GCM', false, ['decrypt']);
  const iv = sealed.slice(0, 12);
  return new Uint8Array(await subtle().decrypt({ name: 'AES-GCM', iv }, key, sealed.slice(12)));
}
