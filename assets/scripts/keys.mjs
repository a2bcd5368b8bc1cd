// What pages do beyond plain HTML: sign, make keys, open a release. Each page says what to do where
// scripts are off; charts have a table beside them.

import { enrolling } from "./lib/enrolling.js";
import { opening } from "./lib/opening.js";
import { signing } from "./lib/signing.js";

const SCRIPTS = { enrol: enrolling, open: opening, sign: signing };

for (const element of document.querySelectorAll("[data-hearthlink]")) {
  SCRIPTS[element.dataset.hearthlink](element);
}
