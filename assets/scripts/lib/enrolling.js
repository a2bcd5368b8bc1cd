// A form that makes a person's signing passkey and sealing key.
//
// The sealing key's seed is made here and wrapped here: by the passkey where it can (PRF), else under
// a passphrase, whose fields have no name and so are in no form that is sent.

import { b64, unb64url } from "./bytes.js";
import { NoPasskey, create, prfOutput } from "./passkeys.js";
import { Part } from "./page.js";
import { newSeed } from "./sealing.js";
import { PASSPHRASE_LEAST, newSalt, wrapByPasskey, wrapByPassphrase } from "./wrapping.js";

class Wrong extends Error {}

export function enrolling(element) {
  const part = new Part(element);
  let made = null; // the passkey, once there is one: trying again makes no second
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    part.attempt(
      async () => {
        made ??= await create(part.data.options);
        const wrapped = await newWrapped(part, made);
        if (wrapped === null) return;
        const fields = element.elements;
        fields.namedItem("registration").value = JSON.stringify(made.answer);
        fields.namedItem("wrapped").value = JSON.stringify(wrapped);
        element.submit();
      },
      (error) => {
        if (error instanceof Wrong) return error.message;
        return error instanceof NoPasskey ? "no_passkey" : "not_made";
      },
    );
  });
  part.show("action");
}

async function newWrapped(part, made) {
  const seed = newSeed();
  try {
    const byPasskey = made.prf ? await wrappedByPasskey(part, made, seed) : null;
    return byPasskey ?? (await wrappedByPassphrase(part, seed));
  } finally {
    seed.fill(0);
  }
}

async function wrappedByPasskey(part, made, seed) {
  const salt = newSalt();
  const passkey = { credential: b64(unb64url(made.answer.id)), relying_party: part.data.options.rp.id };
  const output = await prfOutput(passkey, salt);
  return output && wrapByPasskey(seed, salt, output);
}

async function wrappedByPassphrase(part, seed) {
  const first = part.find("passphrase-field");
  const second = part.find("passphrase-again");
  if (part.find("passphrase").hidden) {
    part.show("passphrase");
    first.focus();
    return null;
  }
  if ([...first.value].length < PASSPHRASE_LEAST) throw new Wrong("passphrase_short");
  if (first.value !== second.value) throw new Wrong("passphrase_differs");
  return wrapByPassphrase(seed, first.value);
}
