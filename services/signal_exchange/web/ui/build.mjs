// node build.mjs NODE_MODULES: writes web/static from the packages of package.json and the templates of the product. `make ui` runs it.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { stylesheet } from './css.mjs';
import { icons } from './icons.mjs';
import { licences } from './licences.mjs';

const UI = import.meta.dirname;
const SERVICES = path.join(UI, '../../..');
const PACKAGES = path.resolve(process.argv[2]);
const WEB = path.join(UI, '..');
const STATIC = path.join(WEB, 'static');
const FONT = '@fontsource-variable/source-sans-3/files/source-sans-3-latin-wght-normal.woff2';

function filesBelow(folder, suffix) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((each) => {
    const file = path.join(folder, each.name);
    if (each.isDirectory()) return filesBelow(file, suffix);
    return each.name.endsWith(suffix) ? [file] : [];
  });
}

const textOf = (suffix) => filesBelow(SERVICES, suffix).sort().map((file) => fs.readFileSync(file, 'utf8')).join('\n');
const fromPackage = (name) => fs.readFileSync(path.join(PACKAGES, name));
const digest = (content) => createHash('sha256').update(content).digest('hex');

const templates = textOf('.j2');
const font = fromPackage(FONT);
const built = {
  'LICENCES.md': licences(UI, PACKAGES),
  'brand.css': fs.readFileSync(path.join(UI, 'brand.css')),
  'brand.svg': fs.readFileSync(path.join(UI, 'brand.svg')),
  'htmx.min.js': fromPackage('htmx.org/dist/htmx.min.js'),
  'icons.json': icons(PACKAGES, templates, textOf('.py')),
  'signaalpunt.css': stylesheet(UI, PACKAGES, templates, `source-sans-3.${digest(font).slice(0, 12)}.woff2`),
  'source-sans-3.woff2': font,
};

fs.rmSync(STATIC, { recursive: true, force: true });
fs.mkdirSync(STATIC);
for (const [name, content] of Object.entries(built)) {
  fs.writeFileSync(path.join(STATIC, name), content);
  console.log(name, Buffer.byteLength(content));
}
const LIST = 'ui/static.sha256';
const listed = [...filesBelow(UI, ''), ...filesBelow(STATIC, '')].map((file) => path.relative(WEB, file)).filter((name) => name !== LIST);
const lines = listed.sort().map((name) => `${digest(fs.readFileSync(path.join(WEB, name)))}  ${name}\n`);
fs.writeFileSync(path.join(WEB, LIST), lines.join(''));
