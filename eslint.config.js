import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  globalIgnores([
    'dist',
    'site',
    'coverage',
    'bench/peers/contenders',
    'bench/peers/node_modules',
    'test/.cache',
    'kernels/simd/*',
    '!kernels/simd/build.ts',
    '!kernels/simd/text.ts',
    '**/*.simd.ts',
    '**/*.generated.ts',
  ]),
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] } } },
    rules: {
      // Numbers belong in messages, that is what the messages are for.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // An index within its bounds is what a kernel's loops are made of.
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/prefer-for-of': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // There are no enums to mix up: `erasableSyntaxOnly` refuses them, and those of packages exist for types only.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      // Methods of Tensor return a tensor: in their documentation, `Tensor` says more than `this`.
      '@typescript-eslint/prefer-return-this-type': 'off',
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Draw from a stream of src/tensor/random.ts.' },
      ],
      eqeqeq: 'error',
    },
  },
  {
    // What a run is told and what it finds is JSON, and to TypeScript an interface is not: it may be extended.
    files: ['examples/experiments/lab/claims/*.ts'],
    rules: { '@typescript-eslint/consistent-type-definitions': ['error', 'type'] },
  },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
);
