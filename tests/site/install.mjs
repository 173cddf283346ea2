// Fetches what package-lock.json pins into a folder, without npm, which on Debian is hundreds of
// packages: node tests/site/install.mjs FOLDER. Does nothing where it is there.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2];
const lock = JSON.parse(readFileSync(new URL("package-lock.json", import.meta.url)));

function installed(place, version) {
  const path = join(place, "package.json");
  return existsSync(path) && JSON.parse(readFileSync(path)).version === version;
}

for (const [name, { version, resolved, integrity }] of Object.entries(lock.packages)) {
  const place = join(folder, name);
  if (!resolved || installed(place, version)) continue;
  const short = name.replace(/^.*node_modules\//, "");
  console.log(`setup: installing ${short} ${version} into ${folder}`);
  const archive = execFileSync("curl", ["-fsSL", "--retry", "3", resolved], { maxBuffer: 2 ** 28 });
  const hash = `sha512-${createHash("sha512").update(archive).digest("base64")}`;
  if (hash !== integrity) {
    console.error(`setup: ${resolved} is ${hash}, not ${integrity}; nothing is installed`);
    process.exit(1);
  }
  const partial = `${place}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  // The files lie in one folder of any name.
  execFileSync("tar", ["-xz", "--strip-components=1", "-C", partial], { input: archive });
  rmSync(place, { recursive: true, force: true });
  renameSync(partial, place);
}
