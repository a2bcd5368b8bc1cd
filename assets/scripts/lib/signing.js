// A form whose document is signed by the passkey: what the bytes say is shown, then those bytes are
// signed, then the form goes its ordinary way with the browser's answer in its field "signature".

import { unb64 } from "./bytes.js";
import { NoPasskey, sign } from "./passkeys.js";
import { Part, summary } from "./page.js";
import { rowsOf } from "./wording.js";

export async function signing(element) {
  const part = new Part(element);
  const { type, passkey } = part.data;
  const payload = unb64(part.data.payload);
  try {
    part.find("says").replaceChildren(summary(await rowsOf(part, type, payload)));
  } catch {
    part.problem("unreadable");
    return;
  }
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    part.attempt(
      async () => {
        const answer = await sign(passkey, type, payload);
        element.elements.namedItem("signature").value = JSON.stringify(answer);
        element.submit();
      },
      (error) => (error instanceof NoPasskey ? "no_passkey" : "not_signed"),
    );
  });
  part.show("action");
}
