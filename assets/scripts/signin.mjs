// Signing in: a passkey is asked for, and its answer is sent with the form that asked.
//
// Without scripts the page says what to do. The secret of an invitation stands behind the # of its
// link, which no browser sends anywhere; it is moved into the form here and out of the address.

import { createForSigningIn, getForSigningIn } from "./lib/passkeys.js";

const ASK = { create: createForSigningIn, get: getForSigningIn };

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.querySelector("button").hidden = false; // not before: a click that nobody hears sends nothing
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.hasAttribute("aria-busy")) return;
    form.setAttribute("aria-busy", "true");
    const problem = form.querySelector("[data-problem]");
    problem.hidden = true;
    try {
      const options = JSON.parse(form.querySelector('script[type="application/json"]').textContent);
      form.querySelector('[name="answer"]').value = JSON.stringify(await ASK[form.dataset.passkey](options));
      form.submit();
    } catch {
      problem.textContent = form.dataset.failed;
      problem.hidden = false;
      form.removeAttribute("aria-busy");
    }
  });
}

for (const form of document.querySelectorAll("form[data-link]")) {
  if (location.hash.length > 1) {
    form.elements[form.dataset.link].value = decodeURIComponent(location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
  }
}
