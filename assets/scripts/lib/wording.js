// What a signed document says, in words made from its bytes and from nothing beside them.
//
// A document of another form than is known here, or with a field more or less, is not shown and so
// not signed. Documents that it names by hash are put into words only where their bytes are given and
// have that hash.

import { parseCanonical, sha256, unb64 } from "./bytes.js";

const FIELDS = {
  "release-request/v1": [
    "agreement", "created", "expires", "family", "format", "id", "items", "members", "purpose",
    "recipient", "without",
  ],
  "release-approval/v1": ["checkpoint", "created", "decision", "format", "reason", "request"],
  "person-keys/v1": ["created", "format", "party", "passkey", "person", "role", "sealing", "signing"],
  "person-enrolment/v1": ["created", "format", "keys", "party", "role"],
};
const OPTIONAL = { "person-enrolment/v1": ["in_place_of"] }; // shown where they are there

/** The bytes are not a document that this page knows how to show. */
export class Unreadable extends Error {}

/** A document of a type, read from its exact bytes. */
export function read(type, payload) {
  let data;
  try {
    data = parseCanonical(payload);
  } catch {
    throw new Unreadable();
  }
  const always = (name) => !OPTIONAL[type]?.includes(name);
  const fields = Object.keys(data ?? {}).filter(always).sort().join();
  if (!Object.hasOwn(FIELDS, type) || data.format !== type || fields !== FIELDS[type].join())
    throw new Unreadable();
  return data;
}

/** Rows of key and value that say what a document says. */
export async function rowsOf(part, type, payload) {
  const data = read(type, payload);
  const rows = await WORDINGS[type](part, data);
  if (type === "person-enrolment/v1") // what the owner of the keys reads out
    return [...rows, [part.word("fingerprint_of_keys"), data.keys]];
  return [...rows, [part.word("fingerprint"), await sha256(payload)]];
}

async function named(part, name, hash) {
  const payload = unb64(part.data[name] ?? "");
  if ((await sha256(payload)) !== hash) throw new Unreadable();
  return payload;
}

async function request(part, asked) {
  const { members } = parseCanonical(await named(part, "members", asked.members));
  const left = asked.without.map((person) => part.label("persons", person));
  const people = part.word("people", { asked: members.length - asked.without.length, of: members.length });
  return [
    [part.word("family"), asked.family],
    [part.word("who"), left.length ? [people, part.word("left_out", { who: left.join("; ") })] : people],
    [part.word("purpose"), part.label("purposes", asked.purpose)],
    [part.word("items"), asked.items.map((item) => part.label("items", item))],
    [part.word("expires"), part.time(asked.expires)],
    [part.word("agreement"), part.label("agreements", asked.agreement)],
    [part.word("recipient"), asked.recipient],
  ];
}

async function approval(part, decided) {
  const asked = read("release-request/v1", await named(part, "request", decided.request));
  return [
    [part.word("decision"), part.word(decided.decision)],
    [part.word("reason"), part.label("reasons", decided.reason)],
    ...(await request(part, asked)),
    [part.word("checkpoint"), part.word("entries", { size: decided.checkpoint.size })],
  ];
}

async function keys(part, held) {
  const rows = [
    [part.word("role"), part.label("roles", held.role)],
    [part.word("party"), part.label("parties", held.party)],
    [part.word("person"), held.person],
  ];
  return held.passkey === null ? rows : [...rows, [part.word("address"), held.passkey.origin]];
}

async function enrolment(part, vouched) {
  const held = read("person-keys/v1", await named(part, "keys", vouched.keys));
  if (held.role !== vouched.role || held.party !== vouched.party) throw new Unreadable();
  const rows = await keys(part, held);
  const lost = vouched.in_place_of;
  return lost === undefined ? rows : [...rows, [part.word("in_place_of"), lost]];
}

const WORDINGS = {
  "release-request/v1": request,
  "release-approval/v1": approval,
  "person-keys/v1": keys,
  "person-enrolment/v1": enrolment,
};
