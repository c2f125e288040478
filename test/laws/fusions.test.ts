/** Every fusion, on every device with fused forms, against the composition of its references. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FusedForm, forms } from '../../kernels/fused/forms.ts';
import type { Fusion } from '../../kernels/fused/fusion.ts';
import * as fusions from '../../kernels/fused/index.ts';
import { devices, extents } from './kernel-laws.ts';
import { type FusionCase, signatureOf, updatesOf } from '../kernels/fusion-cases/case.ts';
import { fusionCases } from '../kernels/fusion-cases/index.ts';
import {
  agreesWithReferences,
  composed,
  inputsOf,
  isDeterministic,
  touchesNothingElse,
} from './fusion-laws.ts';

const fusing = devices.filter(({ device }) => device.runFused !== undefined);

it('wasm has fused forms', () => {
  expect(fusing.map(({ device }) => device.name)).toContain('wasm');
});

describe.each(Object.entries(fusionCases))('%s', (name, fusionCase) => {
  const { fusion, calls, except = [] } = fusionCase;

  it('has a case, has the name under which it is exported, and distinct names for inputs and outputs', () => {
    expect(fusion).toBe(Object.entries(fusions).find(([exported]) => exported === name)?.[1]);
    expect(fusion.name).toBe(name);
    const { inputs, outputs } = signatureOf(fusionCase);
    expect(new Set([...inputs, ...outputs]).size).toBe(inputs.length + outputs.length);
  });

  it('lists its parameters, each once, and has a cost', () => {
    for (const n of extents.filter((extent) => !except.includes(extent))) {
      const [call] = fc.sample(calls(n, n % 3), 1);
      const { shapedBy } = fusion;
      const form = formOf(fusion);
      const { params = [] } = form;
      const signature = signatureOf(fusionCase);
      const all = shapedBy === undefined ? params : [...params, shapedBy]; // `shapedBy` is among the sizes
      expect(call.inputs).toHaveLength(signature.inputs.length);
      expect(all.toSorted()).toEqual(Object.keys(call.params).sort());
      const sizes = form.sizes(
        call.inputs.map(({ shape }) => shape),
        call.params,
      );
      expect(sizes.every(Number.isInteger)).toBe(true);
      const { bytes, flops } = signature.cost(sizes);
      for (const count of [bytes, flops]) expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
      const { results } = composed(fusionCase, call);
      expect(results.length).toBeGreaterThan(0);
      expect(results).toHaveLength(signature.outputs.length + updatesOf(fusionCase, call).length);
      expect(results).toHaveLength(fusionCase.magnitudes(inputsOf(fusionCase, call), call.params).length);
    }
  });

  describe.each(fusing)('on $name', (on) => {
    it('agrees with its references', () => agreesWithReferences(fusionCase, on));
    it('is deterministic', () => isDeterministic(fusionCase, on));
    it('changes only its outputs and updated inputs', () => touchesNothingElse(fusionCase, on));
  });
});

function formOf({ name }: Fusion): FusedForm {
  const all: Readonly<Record<string, FusedForm>> = forms;
  return all[name];
}

/** The case of a fusion with a changed fusion. */
function planted(name: keyof typeof fusionCases, changes: Partial<Fusion>): FusionCase {
  return { ...fusionCases[name], fusion: { ...fusionCases[name].fusion, ...changes } };
}

/** Calls `fn` while the form of a fusion is called in another way. */
function withForm(name: keyof typeof forms, changes: Partial<FusedForm>, fn: () => void): void {
  const form = { ...forms[name] };
  Object.assign(forms[name], changes);
  try {
    fn();
  } finally {
    Object.assign(forms[name], form);
  }
}

describe.each(fusing)('on $name, the laws refuse', (on) => {
  it.each<[what: string, name: keyof typeof forms, changes: Partial<FusedForm>]>([
    ['parameters in another order', 'sgdUpdate', { params: ['weightDecay', 'lr'] }],
    ['a parameter that is not passed', 'momentumUpdate', { params: ['lr', 'momentum'] }],
    ['sizes in another order', 'dense', { sizes: ([x, W]) => [x[0], W[1], x[1]] }],
    ['a row that is skipped', 'batchnormSums', { sizes: ([g]) => [Math.max(1, g[0] - 1), g[1], g[1]] }],
  ])('%s', (_what, name, changes) => {
    withForm(name, changes, () => {
      expect(() => agreesWithReferences(fusionCases[name], on)).toThrow(/seed: -?\d+/);
    });
    agreesWithReferences(fusionCases[name], on);
  });

  it.each<[what: string, wrong: FusionCase]>([
    ['the form of another fusion', planted('sgdUpdate', { name: 'momentumUpdate' })],
    [
      'a wrong reference',
      planted('denseDz', {
        compose: ({ run }, [g, y], p) =>
          fusions.denseDz.compose({ run, update: fail }, [y, g], { slope: 1, ...p }),
      }),
    ],
  ])('%s', (_what, wrong) => {
    expect(() => agreesWithReferences(wrong, on)).toThrow(/seed: -?\d+/);
  });

  it('a form that changes an input', () => {
    const wrong = planted('sgdUpdate', { compose: () => [] });
    const [call] = fc.sample(wrong.calls(5, 0), 1);
    expect(updatesOf(fusionCases.sgdUpdate, call)).toEqual([0]);
    expect(updatesOf(wrong, call)).toEqual([]);
    expect(() => touchesNothingElse(wrong, on)).toThrow(/seed: -?\d+/);
  });

  it('a form that writes beyond its outputs', () => {
    withForm('denseDz', { sizes: ([g]) => [g[0] + 40, g[1], g[1]] }, () => {
      expect(() => touchesNothingElse(fusionCases.denseDz, on)).toThrow(/seed: -?\d+/);
    });
  });
});

function fail(): never {
  throw new Error('nothing is updated here');
}
