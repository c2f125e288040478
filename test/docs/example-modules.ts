import { join } from 'node:path';
import type { Plugin } from 'vitest/config';
import { collectExamples, root } from './collect-examples.ts';

const prefix = 'virtual:example/';

/** The name under which example k can be imported. */
export function exampleModule(k: number): string {
  return `${prefix}${k}.ts`;
}

/** Lets tests import the documentation's examples, which themselves import `gammabeta` as a user does. */
export function exampleModules(): Plugin {
  return {
    name: 'example-modules',
    enforce: 'pre', // before the package's own name finds a build in dist
    resolveId(id) {
      if (id === 'gammabeta') return join(root, 'src/index.ts');
      if (id === 'gammabeta/node') return join(root, 'src/node.ts');
      return id.startsWith(prefix) ? id : null;
    },
    load(id) {
      if (!id.startsWith(prefix)) return null;
      const { code } = collectExamples()[Number.parseInt(id.slice(prefix.length))];
      return `${code}\nexport {};`;
    },
  };
}
