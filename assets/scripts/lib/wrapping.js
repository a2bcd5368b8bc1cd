// A sealing key's seed, kept where only its owner opens it (governance/identity/wrapped.py).
//
// AES-256-GCM under a key from HKDF-SHA-256, whose secret is the signing passkey's PRF output for
// `salt`, or PBKDF2-HMAC-SHA-256 of a passphrase with `salt`. HKDF's info and the cipher's additional
// data are everything else in the document, so that nothing in it can be exchanged.
//
// PBKDF2 and not Argon2id: browsers have it themselves, in native code that needs no exception in the
// content security policy; 600,000 is what OWASP's Password Storage Cheat Sheet asks for.

import { b64, canonical, unb64, utf8 } from "./bytes.js";
import { publicOf } from "./sealing.js";

const FORMAT = "wrapped-sealing-key/v1";
const ITERATIONS = 600_000;
const SALT_BYTES = 32;
const NONCE_BYTES = 12; // AES-GCM
export const PASSPHRASE_LEAST = 15; // characters; NIST SP 800-63B-4, 3.1.1.2

/** The wrong passphrase or passkey, or altered bytes. */
export class DoesNotUnwrap extends Error {}

export function newSalt() {
  return crypto.getRandomValues(new Uint8Array(SALT_BYTES));
}

/** Wrap a seed by a passkey's PRF output for `salt`. */
export async function wrapByPasskey(seed, salt, output) {
  return wrap(seed, { by: "passkey", iterations: 0, salt: b64(salt) }, output);
}

/** Wrap a seed under a passphrase. */
export async function wrapByPassphrase(seed, passphrase) {
  const salt = newSalt();
  const secret = await stretched(passphrase, salt, ITERATIONS);
  return wrap(seed, { by: "passphrase", iterations: ITERATIONS, salt: b64(salt) }, secret);
}

async function wrap(seed, how, secret) {
  const about = { format: FORMAT, public: await publicOf(seed), ...how };
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const additionalData = canonical(about);
  const key = await derived(secret, additionalData);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData }, key, seed);
  return { ...about, nonce: b64(nonce), ciphertext: b64(sealed) };
}

/** The seed of a wrapped key; `secret` is a PRF output (bytes) or a passphrase (text). */
export async function unwrap(wrapped, secret) {
  const { nonce, ciphertext, ...about } = wrapped;
  if (about.format !== FORMAT) throw new DoesNotUnwrap();
  const bytes =
    about.by === "passphrase" ? await stretched(secret, unb64(about.salt), about.iterations) : secret;
  const additionalData = canonical(about);
  const key = await derived(bytes, additionalData);
  try {
    const cipher = { name: "AES-GCM", iv: unb64(nonce), additionalData };
    return new Uint8Array(await crypto.subtle.decrypt(cipher, key, unb64(ciphertext)));
  } catch {
    throw new DoesNotUnwrap();
  }
}

async function stretched(passphrase, salt, iterations) {
  const typed = utf8(passphrase.normalize("NFKC")); // the same on every keyboard
  const key = await crypto.subtle.importKey("raw", typed, "PBKDF2", false, ["deriveBits"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(how, key, 256));
}

async function derived(secret, info) {
  const key = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info };
  const kind = { name: "AES-GCM", length: 256 };
  return crypto.subtle.deriveKey(how, key, kind, false, ["encrypt", "decrypt"]);
}
