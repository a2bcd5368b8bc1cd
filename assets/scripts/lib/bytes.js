// Bytes, base64, hashes and canonical JSON, as governance/canonical.py and envelope.py make them.

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 bytes of a text. */
export function utf8(text) {
  return encoder.encode(text);
}

/** The text of UTF-8 bytes; throws where they are not. */
export function text(bytes) {
  return strict.decode(bytes);
}

/** Standard base64 with padding (RFC 4648 section 4). */
export function b64(bytes) {
  let binary = "";
  for (const byte of new Uint8Array(bytes)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** The bytes of standard base64, in its one canonical spelling. */
export function unb64(spelling) {
  const bytes = Uint8Array.from(atob(spelling), (character) => character.charCodeAt(0));
  if (b64(bytes) !== spelling) throw new Error("not the canonical spelling of its base64");
  return bytes;
}

/** base64url without padding, as WebAuthn writes bytes. */
export function b64url(bytes) {
  return b64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The bytes of base64url without padding. */
export function unb64url(spelling) {
  const standard = spelling.replaceAll("-", "+").replaceAll("_", "/");
  return unb64(standard.padEnd(Math.ceil(standard.length / 4) * 4, "="));
}

export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** `sha256:<hex>` of bytes. */
export async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `sha256:${Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/**
 * RFC 8785 bytes of plain data. ECMAScript's own JSON is that form but for the order of keys, which
 * here is that of UTF-16 code units, as sort() has it.
 */
export function canonical(data) {
  return utf8(JSON.stringify(sorted(data)));
}

function sorted(data) {
  if (Array.isArray(data)) return data.map(sorted);
  if (data === null || typeof data !== "object") return data;
  const keys = Object.keys(data).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted(data[key])]));
}

/** JSON that is in canonical form, so that no key stands twice and nothing stands beside it. */
export function parseCanonical(bytes) {
  const data = JSON.parse(text(bytes));
  if (text(canonical(data)) !== text(bytes)) throw new Error("not in canonical form");
  return data;
}

/** What a passkey signs for a document: SHA-256 of DSSE's pre-authentication encoding. */
export async function challengeOf(type, payload) {
  const kind = utf8(type);
  const head = utf8(`DSSEv1 ${kind.length} ${type} ${payload.length} `);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concat(head, payload)));
}
