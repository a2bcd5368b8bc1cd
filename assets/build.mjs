// Builds governance/ui/static and governance/ui/components.json: make assets
//
// Every scripts/*.mjs becomes static/*.js with what it imports from scripts/lib and node_modules, every
// styles/*.scss (but partials, _*.scss) static/*.css; images/* are copied.
// static/build.json says which sources what was built from; a test compares it with the tree.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { build } from "esbuild";
import { compile } from "sass";

const OUT = "../governance/ui/static";
const COMPONENTS = "node_modules/govuk-frontend/dist/govuk/components";
const hash = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
const files = (folder) =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
const hashes = (paths, named) => Object.fromEntries(paths.map((path) => [named(path), hash(path)]));

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });

for (const path of files("images")) copyFileSync(path, join(OUT, basename(path)));

for (const path of files("styles").filter((each) => !basename(each).startsWith("_"))) {
  const { css } = compile(path, { style: "compressed", loadPaths: ["node_modules"], quietDeps: true });
  writeFileSync(join(OUT, `${basename(path, ".scss")}.css`), `${css}\n`);
}

const built = await build({
  entryPoints: files("scripts").filter((path) => path.endsWith(".mjs") && !path.includes("lib")),
  outdir: OUT,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "inline",
  logLevel: "warning",
  metafile: true,
});

// Licences of what is in the bundles go with them (MIT asks for it).
const inside = Object.keys(built.metafile.inputs).map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]);
const licences = [...new Set(inside.filter(Boolean))].sort().map((name) => {
  const folder = join("node_modules", name);
  const { author, license, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  const text = file ? readFileSync(join(folder, file), "utf8").trim() : `${license}, by ${author.name}`;
  return `${name} ${version}\n\n${text}\n`;
});
writeFileSync(join(OUT, "licences.txt"), licences.join("\n\n"));

// Which options each component takes: its macro would ignore any other without a word.
const options = (params) =>
  Object.fromEntries(params.map(({ name, params: inner }) => [name, inner ? options(inner) : null]));
const components = {};
for (const name of readdirSync(COMPONENTS).sort()) {
  try {
    const taken = JSON.parse(readFileSync(join(COMPONENTS, name, "macro-options.json"), "utf8"));
    components[name] = options(taken);
  } catch (error) {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
  }
}
writeFileSync("../governance/ui/components.json", `${JSON.stringify(components, null, 1)}\n`);

const folders = ["images", "scripts", "styles"].flatMap(files);
const sources = ["build.mjs", "package.json", "package-lock.json", ...folders];
const record = {
  sources: hashes(sources, (path) => path),
  built: hashes([...files(OUT), "../governance/ui/components.json"], (path) => basename(path)),
};
writeFileSync(join(OUT, "build.json"), `${JSON.stringify(record, null, 1)}\n`);
