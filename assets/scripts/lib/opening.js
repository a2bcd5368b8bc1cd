// A release, opened in the page of the manager who asked for it.
//
// Rules, in order: the request is the one that the page is about, and names the key document of the
// sealing key that was unwrapped; the members are those that the request names by hash; each
// partner's items are for that request and those keys, and open; the partner holds a record of a
// member; they are of members and items that were asked for. Only then is anything shown, as text
// nodes, in this page alone: nothing is stored, logged or sent, and it is gone when the page is left,
// or when nobody has touched it for as long as a session lives. A form to print is made of it here.

import { parseCanonical, sha256, unb64 } from "./bytes.js";
import { sheetOf, titleOf } from "./forms.js";
import { NoPasskey, prfOutput } from "./passkeys.js";
import { Part, summary, tag } from "./page.js";
import { Refusal, openSealed, publicOf } from "./sealing.js";
import { read } from "./wording.js";
import { DoesNotUnwrap, unwrap } from "./wrapping.js";

const REQUEST = "release-request/v1";
const KEYS = "person-keys/v1";
const IDLE = 30 * 60 * 1000; // milliseconds; a session's, governance/console/sessions.py
const TOUCHES = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];

export function opening(element) {
  const part = new Part(element);
  const form = part.find("unlock");
  part.show("passphrase", part.data.wrapped.by === "passphrase");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    part.attempt(() => open(part), wordOf);
  });
  part.title = part.find("title").textContent;
  for (const button of part.element.querySelectorAll("[data-shows]")) {
    button.addEventListener("click", () => choose(part, button.dataset.shows));
  }
  part.find("print").addEventListener("click", () => window.print());
  part.find("close").addEventListener("click", () => close(part));
  window.addEventListener("pagehide", () => close(part));
  closeWhenIdle(part);
  part.show("unlock");
}

/** Names do not stay on the screen of somebody who has gone. */
function closeWhenIdle(part) {
  let waiting = 0;
  const touched = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => close(part), IDLE);
  };
  for (const touch of TOUCHES) window.addEventListener(touch, touched, { passive: true });
  touched();
}

function wordOf(error) {
  if (error instanceof Refusal) return error.reason;
  if (error instanceof NoPasskey) return "no_passkey";
  return error instanceof DoesNotUnwrap ? "does_not_unwrap" : "not_opened";
}

async function open(part) {
  const seed = await unlocked(part);
  try {
    const about = await checked(part, seed);
    const found = [];
    for (const payload of part.data.sealed) found.push(await attempted(payload, about, seed));
    show(part, about, found);
  } finally {
    seed.fill(0);
  }
}

async function unlocked(part) {
  const { wrapped, passkey } = part.data;
  if (wrapped.by === "passphrase") {
    const field = part.find("passphrase-field");
    const seed = await unwrap(wrapped, field.value);
    field.value = "";
    return seed;
  }
  const output = await prfOutput(passkey, unb64(wrapped.salt));
  if (output === null) throw new NoPasskey();
  return unwrap(wrapped, output);
}

async function checked(part, seed) {
  const payload = unb64(part.data.request);
  const hash = await sha256(payload);
  const keys = unb64(part.data.keys);
  const members = unb64(part.data.members);
  const asked = read(REQUEST, payload);
  if (hash !== part.data.id) throw new Refusal("page_request");
  if (asked.recipient !== (await sha256(keys))) throw new Refusal("page_keys");
  if (read(KEYS, keys).sealing !== (await publicOf(seed))) throw new Refusal("page_keys");
  if (asked.members !== (await sha256(members))) throw new Refusal("page_family");
  const family = parseCanonical(members).members;
  const holders = family.flatMap((member) => member.records.map((record) => record.party));
  const persons = family.map((member) => member.person).filter((person) => !asked.without.includes(person));
  return { asked, hash, holders, persons };
}

/** A partner's records, or why there are none: one partner's mistake hides nobody else's answer. */
async function attempted({ party, payload }, about, seed) {
  try {
    const opened = await openSealed(unb64(payload), {
      seed,
      request: about.hash,
      recipient: about.asked.recipient,
    });
    if (opened.party !== party) throw new Refusal("another_partner");
    if (!about.holders.includes(party)) throw new Refusal("no_record");
    if (!opened.records.every((record) => wasAsked(record, about))) throw new Refusal("not_asked");
    return { party, records: opened.records };
  } catch (error) {
    return { party, records: [], problem: error instanceof Refusal ? error.reason : "malformed" };
  }
}

function wasAsked({ person, items }, { asked, persons }) {
  return persons.includes(person) && Object.keys(items).every((item) => asked.items.includes(item));
}

function show(part, about, found) {
  part.release = { about, found };
  part.find("sheet").replaceChildren(...contacts(part, part.release));
  part.show("opened");
  part.show("unlock", false);
  part.find("title").focus();
}

function contacts(part, { about, found }) {
  const records = found.flatMap((one) => one.records);
  const problems = found.filter((one) => one.problem).map((one) => problemOf(part, one));
  const cards = about.persons.map((person, index) => card(part, about, records, person, index + 1));
  return [...problems, ...cards];
}

/** Show the contact sheet ("") or a form in its place; what is shown is what is printed. */
function choose(part, form) {
  for (const button of part.element.querySelectorAll("[data-shows]")) {
    button.setAttribute("aria-pressed", String(button.dataset.shows === form));
  }
  const sheet = form ? sheetOf(part, form, part.release) : contacts(part, part.release);
  part.find("sheet").replaceChildren(...sheet);
  part.find("title").textContent = form ? titleOf(part, form) : part.title;
  part.find("title").focus();
}

function problemOf(part, { party, problem }) {
  const text = part.word("partner_problem", {
    party: part.label("parties", party),
    problem: part.word(problem),
  });
  return tag("p", { class: "govuk-error-message", role: "alert" }, text);
}

function card(part, { asked }, records, person, number) {
  const own = records.filter((record) => record.person === person);
  const order = part.data.items.filter((item) => asked.items.includes(item));
  const rows = [...new Set([...order, ...asked.items])].map((item) => [
    part.label("items", item),
    values(part, own, item),
  ]);
  const heading = `${number}. ${part.label("persons", person)}`;
  const body = own.length ? summary(rows) : tag("p", { class: "govuk-body" }, part.word("nothing_held"));
  return tag("section", { class: "app-contact" }, tag("h3", { class: "govuk-heading-m" }, heading), body);
}

/** Each value once, with the sources that hold it: where they differ, it is seen. */
function values(part, records, item) {
  const sources = new Map();
  for (const { source, items } of records) {
    if (items[item]) sources.set(items[item], [...(sources.get(items[item]) ?? []), source]);
  }
  if (!sources.size) return part.word("not_held");
  return [...sources].map(
    ([value, names]) => `${value} (${[...new Set(names)].map((name) => part.label("sources", name)).join(", ")})`,
  );
}

function close(part) {
  if (part.release) choose(part, "");
  part.release = null;
  part.find("sheet").replaceChildren();
  part.show("opened", false);
  part.show("unlock");
}
