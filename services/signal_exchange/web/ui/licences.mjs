// What the compiled files hold of others, and under which terms.
import fs from 'node:fs';
import path from 'node:path';

const USED = [
  ['@utrecht/component-library-css', 'rules of signaalpunt.css', 'Municipality of Utrecht and the NL Design System community'],
  ['@nl-design-system-candidate/*', 'rules of signaalpunt.css', 'the NL Design System community'],
  ['@fontsource-variable/source-sans-3', 'source-sans-3.*.woff2, unmodified', 'Adobe; Source is a trademark of Adobe'],
  ['@tabler/icons', 'drawings of icons.json', 'Paweł Kuna'],
  ['htmx.org', 'htmx.min.js, unmodified', 'the authors of htmx'],
];
const EUPL = 'EUPL-1.2';

export function licences(ui, packages) {
  const described = Object.keys(JSON.parse(fs.readFileSync(path.join(ui, 'package.json'), 'utf8')).devDependencies)
    .map((name) => [name, USED.find(([used]) => fits(name, used))])
    .filter(([, used]) => used)
    .map(([name, [, what, whose]]) => ({ name, what, whose, ...ofPackage(packages, name) }));
  const rows = described.map((each) => `| ${each.name} | ${each.version} | ${each.licence} | ${each.whose} | ${each.what} |`);
  const texts = described.filter((each) => each.licence !== EUPL).map((each) => `## ${each.name}\n\n${fenced(each.text)}`);
  return [HEAD, '| package | version | licence | of | used for |', '| --- | --- | --- | --- | --- |', ...rows, '', ...texts].join('\n');
}

const HEAD = `# Licences of the files in this folder

\`make ui\` writes this list. Rules of packages under the ${EUPL} are selected and minified; the text of that licence is the LICENSE
of this project. The texts of the other licences follow the table.
`;

function fits(name, used) {
  return used.endsWith('*') ? name.startsWith(used.slice(0, -1)) : name === used;
}

function ofPackage(packages, name) {
  const folder = path.join(packages, name);
  const { version, license } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const file = fs.readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  return { version, licence: license === 'BSD-0-Clause' ? '0BSD' : license, text: fs.readFileSync(path.join(folder, file), 'utf8') };
}

function fenced(text) {
  return '```text\n' + text.trim() + '\n```\n';
}
