// What the three scripts of pages share: their part of the page, its data and its words.
//
// Text reaches a page as text nodes only. Data and words come from the console in a data block of
// JSON, so that no question goes out and the content security policy can forbid all of them.

/** One element of a page that a script serves, marked by data-hearthlink. */
export class Part {
  constructor(element) {
    this.element = element;
    this.data = JSON.parse(element.querySelector('script[type="application/json"]').textContent);
  }

  /** The element inside that is marked data-part="name". */
  find(name) {
    return this.element.querySelector(`[data-part="${name}"]`);
  }

  show(name, shown = true) {
    this.find(name).hidden = !shown;
  }

  /** A text of the catalogue, with values in place of {names}. */
  word(key, values = {}) {
    const text = this.data.words[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
  }

  /** What a code is called on this page, and else the code as words. */
  label(kind, code) {
    return this.data.labels?.[kind]?.[code] ?? code.replaceAll("_", " ");
  }

  /** A moment of a signed document, as people here write times. */
  time(moment) {
    const how = { dateStyle: "long", timeStyle: "short", timeZone: "Europe/London" };
    return new Intl.DateTimeFormat(`${document.documentElement.lang}-GB`, how).format(new Date(moment));
  }

  /** Say what went wrong, where a screen reader is told of it at once. */
  problem(key, values) {
    this.find("problem").textContent = this.word(key, values);
    this.show("problem");
  }

  /** Run one thing at a time; what a person sees of an error is a word of the catalogue. */
  async attempt(action, wordOf) {
    if (this.element.hasAttribute("aria-busy")) return;
    this.element.setAttribute("aria-busy", "true");
    this.show("problem", false);
    try {
      await action();
    } catch (error) {
      this.problem(wordOf(error));
    } finally {
      this.element.removeAttribute("aria-busy");
    }
  }
}

/** An element with attributes and children; texts become text nodes. */
export function tag(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** A list of keys and values, as govuk-frontend styles them. */
export function summary(rows) {
  const row = ([key, value]) =>
    tag(
      "div",
      { class: "govuk-summary-list__row" },
      tag("dt", { class: "govuk-summary-list__key" }, key),
      tag("dd", { class: "govuk-summary-list__value" }, ...lines(value)),
    );
  return tag("dl", { class: "govuk-summary-list" }, ...rows.map(row));
}

function lines(value) {
  if (!Array.isArray(value)) return [value];
  return value.map((line) => tag("p", { class: "govuk-body govuk-!-margin-bottom-1" }, line));
}
