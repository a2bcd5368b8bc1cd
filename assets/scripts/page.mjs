// What every page loads: the behaviour of GOV.UK Frontend's components. Pages work without it.
import { initAll } from "govuk-frontend";

initAll();
