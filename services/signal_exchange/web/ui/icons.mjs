// The icons of Tabler that the product names: the drawing of each, by its name.
import fs from 'node:fs';
import path from 'node:path';

const FRAME = '<path stroke="none" d="M0 0h24v24H0z" fill="none"/>';
// Code names an icon as icon="flame", or first in an item of a menu.
const IN_CODE = /\b(?:icon\s*=\s*|MenuItem\(\s*)"([a-z0-9-]+)"/g;
const QUOTED = /(["'])([a-z0-9]+(?:-[a-z0-9]+)*)\1/g;

export function icons(packages, templates, code) {
  const folder = path.join(packages, '@tabler/icons/icons/outline');
  const known = new Set(fs.readdirSync(folder).map((file) => path.basename(file, '.svg')));
  const named = [...quotedIn(expressions(templates)), ...[...code.matchAll(IN_CODE)].map((found) => found[1])];
  const names = [...new Set(named)].filter((name) => known.has(name)).sort();
  const lines = names.map((name) => `${JSON.stringify(name)}: ${JSON.stringify(drawing(path.join(folder, `${name}.svg`)))}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

// Only what Jinja works out: an attribute of HTML is no icon.
function expressions(templates) {
  return (templates.match(/\{\{[^]*?\}\}|\{%[^]*?%\}/g) ?? []).join('\n');
}

function quotedIn(text) {
  return [...text.matchAll(QUOTED)].map((found) => found[2]);
}

function drawing(file) {
  const shapes = fs.readFileSync(file, 'utf8').match(/<(?:path|circle|rect|line|ellipse|polyline|polygon)[^>]*>/g);
  return shapes.join('').replace(/\s+/g, ' ').replaceAll(' />', '/>').replace(FRAME, '');
}
