// Forms to print, filled in from what this page has just opened: the same forms, in the same words, as
// governance release form makes of a file (governance/release/forms.py). Text nodes only; what nobody
// has said is a line to write on.

import { tag } from "./page.js";

const OUTCOMES = ["helped", "declined", "wrong_family", "not_needed"];
const SECTIONS = {
  nomination: [request, family, needs, nomination, signed],
  combined: [request, family, needs, nomination, progress, signed],
  closure: [request, family, needs, progress, closure, signed],
};

/** What a form is called. */
export function titleOf(part, form) {
  return word(part, `title.${form}`);
}

/** A form's sections, for a release: what was asked, and each partner's records or problem. */
export function sheetOf(part, form, release) {
  const about = { ...release, part, form };
  return [hint(about, "confidential_page"), ...SECTIONS[form].map((section) => section(about))];
}

function word(part, key, values = {}) {
  const text = part.data.form_words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

function request({ part, about, found }) {
  const answered = found.filter((one) => !one.problem).map((one) => part.label("parties", one.party));
  const parties = answered.join(", ") || word(part, "nobody");
  const broken = found
    .filter((one) => one.problem)
    .map((one) => ({ party: part.label("parties", one.party), reason: part.word(one.problem) }));
  return block(
    part,
    "request",
    body(word(part, "number", { number: about.hash }), "govuk-body app-id"),
    body(word(part, "answered", { parties })),
    ...broken.map((one) => body(word(part, "unreadable", one))),
  );
}

function family({ part, about, found }) {
  const records = found.flatMap((one) => one.records);
  const held = new Set(records.flatMap((record) => Object.keys(record.items)));
  const items = [...new Set([...part.data.items, ...held])].filter((item) => held.has(item));
  const head = [word(part, "member"), word(part, "source"), ...items.map((item) => part.label("items", item))];
  const rows = about.persons.flatMap((person, index) =>
    records
      .filter((record) => record.person === person)
      .map((record) => [
        `${index + 1}. ${part.label("persons", person)}`,
        part.label("sources", record.source),
        ...items.map((item) => record.items[item] ?? ""),
      ]),
  );
  return block(part, "family", table(part, "family", head, rows), hint({ part }, "right_one"));
}

function needs({ part, form }) {
  if (part.data.needs === null) return block(part, "needs", body(word(part, "no_needs")));
  const head = ["need", "held", form === "nomination" ? "seen" : "now"].map((key) => word(part, key));
  const rows = part.data.needs.map(([name, held]) => [name, held, ""]);
  return block(part, "needs", table(part, "needs", head, rows));
}

function nomination({ part }) {
  const boxes = ["agreed", "not_in"].map((key) => word(part, key));
  return block(part, "nomination", ...ask(part, "why", 2), ...ask(part, "wish"), ...ask(part, "who"), ticks(boxes));
}

function progress({ part }) {
  return block(part, "progress", ...ask(part, "changed", 2), ...ask(part, "left"));
}

function closure({ part }) {
  const boxes = OUTCOMES.map((outcome) => word(part, `outcome.${outcome}`));
  const asked = [...ask(part, "last_day"), ...ask(part, "in_touch")];
  return block(part, "closed", ticks(boxes), ...asked, hint({ part }, "record_page"));
}

function signed({ part }) {
  return block(part, "signed", ...ask(part, "sign_here"));
}

function block(part, heading, ...children) {
  const title = tag("h3", { class: "govuk-heading-m" }, word(part, heading));
  return tag("section", { class: "app-contact" }, title, ...children);
}

function body(text, classes = "govuk-body") {
  return tag("p", { class: classes }, text);
}

function hint({ part }, key) {
  return tag("p", { class: "govuk-hint" }, word(part, key));
}

/** A question with lines to write on. */
function ask(part, key, lines = 1) {
  const line = () => tag("div", { class: "app-line" });
  return [tag("p", { class: "govuk-body" }, word(part, key)), ...Array.from({ length: lines }, line)];
}

function ticks(texts) {
  const tick = (text) => tag("li", {}, tag("span", { class: "app-box", "aria-hidden": "true" }), text);
  return tag("ul", { class: "govuk-list" }, ...texts.map(tick));
}

/** A table that scrolls by itself where the window is narrow. */
function table(part, label, head, rows) {
  const heads = head.map((text) => tag("th", { class: "govuk-table__header", scope: "col" }, text));
  const cell = (text, at) =>
    at
      ? tag("td", { class: "govuk-table__cell" }, text)
      : tag("th", { class: "govuk-table__header", scope: "row" }, text);
  const lines = rows.map((row) => tag("tr", { class: "govuk-table__row" }, ...row.map(cell)));
  const whole = tag(
    "table",
    { class: "govuk-table app-form" },
    tag("thead", { class: "govuk-table__head" }, tag("tr", { class: "govuk-table__row" }, ...heads)),
    tag("tbody", { class: "govuk-table__body" }, ...lines),
  );
  return tag("div", { class: "app-scroll", role: "region", tabindex: "0", "aria-label": word(part, label) }, whole);
}
