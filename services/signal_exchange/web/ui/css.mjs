// One stylesheet: the rules of the libraries that templates use, the theme, and the product's own rules; each in a layer of its own.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const CANDIDATES = ['button', 'heading', 'paragraph', 'link', 'skip-link', 'data-badge', 'number-badge', 'mark'];
const LIBRARIES = [
  '@utrecht/component-library-css/dist/index.css',
  ...CANDIDATES.map((name) => `@nl-design-system-candidate/${name}-css/dist/${name}.css`),
];
const OWN = ['frame', 'surfaces', 'forms', 'tables', 'lists', 'helpers', 'narrow'];
const SOURCE_MAPS = /\/\*# sourceMappingURL.*?\*\//g;
const OF_LIBRARY = /\b(?:utrecht|nl)-[a-z0-9_-]+/g;

// `font` is the name under which the product serves the font: it holds the digest of its bytes.
export function stylesheet(ui, packages, templates, font) {
  const read = (name) => fs.readFileSync(path.join(ui, name), 'utf8');
  const tools = createRequire(packages + '/');
  const libraries = LIBRARIES.map((name) => fs.readFileSync(path.join(packages, name), 'utf8')).join('\n').replace(SOURCE_MAPS, '');
  const own = OWN.map((name) => read(`own/${name}.css`)).join('\n');
  const layers = [
    '@layer reset, lib, theme, own;',
    fontFace(font),
    layer('reset', read('own/reset.css')),
    layer('lib', usedRules(tools('postcss').parse(libraries), new Set(templates.match(OF_LIBRARY)))),
    layer('theme', read('theme.css')),
    layer('own', own),
  ];
  return '/* EUPL-1.2; of others: LICENCES.md */\n' + layers.map((css) => minified(tools('lightningcss'), css)).join('\n') + '\n';
}

function fontFace(font) {
  const source = `src: url(${font}) format("woff2")`;
  return `@font-face { font-family: "Source Sans 3 Variable"; font-weight: 200 900; font-display: swap; ${source} }`;
}

function layer(name, rules) {
  return `@layer ${name} {\n${rules}\n}`;
}

function usedRules(root, used) {
  root.walkRules((rule) => {
    if (rule.parent.name === 'keyframes') return;
    const kept = rule.selectors.filter((selector) => isUsed(selector, used));
    if (kept.length) rule.selectors = kept;
    else rule.remove();
  });
  root.walkAtRules((each) => {
    if (each.nodes && !each.nodes.length) each.remove();
  });
  return root.toString();
}

function isUsed(selector, used) {
  const names = [...selector.matchAll(/\.((?:utrecht|nl)-[\w-]+)/g)].map((found) => found[1]);
  return names.length > 0 && names.every((name) => used.has(name));
}

function minified(lightningcss, css) {
  return lightningcss.transform({ filename: 'signaalpunt.css', code: Buffer.from(css), minify: true, errorRecovery: true }).code.toString();
}
