// The key that releases are sealed to, and opening them (governance/identity/keys.py, seal.py).
//
// HPKE (RFC 9180) with X-Wing (ML-KEM-768 and X25519), HKDF-SHA256 and AES-256-GCM. A private key is
// X-Wing's seed of 32 bytes; a public key is the ML-KEM part, then the X25519 part.

import { Aes256Gcm, CipherSuite, HkdfSha256 } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";
import { b64, canonical, parseCanonical, unb64 } from "./bytes.js";

const SEALED = "release-sealed/v1";
const SEED_BYTES = 32;
const ENCAPSULATED_BYTES = 1088 + 32; // ML-KEM-768 ciphertext, then an X25519 public key
const PERSON = /^p-[0-9a-f]{32}$/;
const SLUG = /^[a-z][a-z0-9_-]{1,39}$/;

const suite = new CipherSuite({
  kem: new XWing(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});

/** Says why sealed items were not opened: a key of the words that the page shows. */
export class Refusal extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/** A new seed of a sealing key. */
export function newSeed() {
  return crypto.getRandomValues(new Uint8Array(SEED_BYTES));
}

/** The public key of a seed, 1,216 bytes in base64. */
export async function publicOf(seed) {
  const { publicKey } = await suite.kem.generateKeyPairDerand(seed);
  return b64(await suite.kem.serializePublicKey(publicKey));
}

/**
 * Open a partner's sealed items.
 *
 * Rules, in order: they are for the request and the keys that the caller names; they open with the
 * caller's seed under exactly that context; what they hold is a list of records.
 *
 * The console has verified which partner signed them, with the keys of its own copy of the ledger;
 * a page knows no partner's keys but from the console, so it could only repeat that.
 */
export async function openSealed(payload, { seed, request, recipient }) {
  const sealed = parsed(payload);
  if (sealed.format !== SEALED) throw new Refusal("malformed");
  if (sealed.request !== request) throw new Refusal("another_request");
  if (sealed.recipient !== recipient) throw new Refusal("another_key");
  const plaintext = await decrypt(sealed, seed);
  try {
    return { party: sealed.party, records: records(parsed(plaintext)) };
  } finally {
    plaintext.fill(0);
  }
}

async function decrypt(sealed, seed) {
  const info = canonical({
    format: SEALED,
    request: sealed.request,
    party: sealed.party,
    recipient: sealed.recipient,
    size: sealed.checkpoint?.size,
    root: sealed.checkpoint?.root,
  });
  try {
    const ciphertext = unb64(sealed.ciphertext);
    const enc = ciphertext.slice(0, ENCAPSULATED_BYTES);
    const recipientKey = await suite.kem.deserializePrivateKey(seed.slice());
    const opened = await suite.open({ recipientKey, enc, info }, ciphertext.slice(ENCAPSULATED_BYTES));
    return new Uint8Array(opened);
  } catch {
    throw new Refusal("does_not_open");
  }
}

function parsed(bytes) {
  try {
    return parseCanonical(bytes);
  } catch {
    throw new Refusal("malformed");
  }
}

function records(data) {
  const fine =
    Array.isArray(data) &&
    data.every(
      (record) =>
        PERSON.test(record?.person) &&
        SLUG.test(record.source) &&
        record.items !== null &&
        typeof record.items === "object" &&
        Object.entries(record.items).every(([name, value]) => SLUG.test(name) && typeof value === "string"),
    );
  if (!fine) throw new Refusal("malformed");
  return data;
}
