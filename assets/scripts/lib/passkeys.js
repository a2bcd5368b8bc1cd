// The signing passkey, asked by navigator.credentials (W3C Web Authentication, level 3).
//
// Signing and unlocking are two questions. A signature is over a document's challenge of 32 bytes, and
// no extension is asked for, so that its authenticator data are the 37 bytes that partners take. For
// unlocking, the challenge is a fixed text of another length, so that what the authenticator signs
// beside its PRF output is a signature of no document; it is dropped here and leaves the page never.

import { b64url, challengeOf, unb64, unb64url, utf8 } from "./bytes.js";

const UNLOCKING = utf8("hearthlink: this opens a key and signs no document");

/** The owner said no, waited too long, or the passkey is not here. */
export class NoPasskey extends Error {}

/** Make a passkey; `options` as governance/identity/ceremonies.py creation_options has them. */
export async function create(options) {
  const publicKey = {
    ...options, // not by parseCreationOptionsFromJSON(): office browsers are older than it
    challenge: unb64url(options.challenge),
    user: { ...options.user, id: unb64url(options.user.id) },
    extensions: { prf: {} },
  };
  const made = await asked(navigator.credentials.create({ publicKey }));
  const prf = made.getClientExtensionResults().prf?.enabled === true;
  return { answer: answerOf(made), prf };
}

/** Make a passkey that signs in and nothing else; `options` as governance/console/signin.py has them. */
export async function createForSigningIn(options) {
  const user = { ...options.user, id: unb64url(options.user.id) };
  const publicKey = { ...options, challenge: unb64url(options.challenge), user };
  return answerOf(await asked(navigator.credentials.create({ publicKey })));
}

/** Sign a challenge of the sign-in page, with any passkey of this site that its owner chooses. */
export async function getForSigningIn(options) {
  const publicKey = { ...options, challenge: unb64url(options.challenge) };
  return answerOf(await asked(navigator.credentials.get({ publicKey })));
}

/** Sign a document: the browser's answer, for read_assertion. */
export async function sign(passkey, type, payload) {
  const challenge = await challengeOf(type, payload);
  return answerOf(await asked(navigator.credentials.get({ publicKey: options(passkey, challenge) })));
}

/** The passkey's PRF output for a salt, 32 bytes; null where it has none. */
export async function prfOutput(passkey, salt) {
  const publicKey = { ...options(passkey, UNLOCKING), extensions: { prf: { eval: { first: salt } } } };
  const got = await asked(navigator.credentials.get({ publicKey }));
  const output = got.getClientExtensionResults().prf?.results?.first;
  return output === undefined ? null : new Uint8Array(output);
}

function options({ credential, relying_party }, challenge) {
  return {
    challenge,
    rpId: relying_party,
    allowCredentials: [{ type: "public-key", id: unb64(credential) }],
    userVerification: "required",
  };
}

async function asked(question) {
  try {
    return await question;
  } catch {
    throw new NoPasskey();
  }
}

// Written out and not by toJSON(), which would hand on a PRF output with the rest.
function answerOf({ rawId, response }) {
  const fields = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const held = fields.filter((field) => response[field]);
  return {
    id: b64url(rawId),
    rawId: b64url(rawId),
    type: "public-key",
    clientExtensionResults: {},
    response: Object.fromEntries(held.map((field) => [field, b64url(response[field])])),
  };
}
