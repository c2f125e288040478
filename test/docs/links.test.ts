import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './collect-examples.ts';

it('every relative link of a document names a file that exists', () => {
  const documents = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !/(?:^|\/)(?:node_modules|dist|site|\.[^/]*)\//.test(file))
    .map((file) => file.replaceAll('\\', '/'));
  expect(documents).toEqual(expect.arrayContaining(['README.md', 'examples/experiments/cifar10/README.md']));
  const broken = documents.flatMap((document) =>
    [...readFileSync(join(root, document), 'utf8').matchAll(/\]\((?!https?:|#)(?<path>[^)#]+)/g)]
      .map((link) => link.groups?.path ?? '')
      .filter((path) => !existsSync(join(root, dirname(document), path)))
      .map((path) => `${document} → ${path}`),
  );
  expect(broken).toEqual([]);
});
