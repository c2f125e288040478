/** Saves completed runs, each in its own file, so that they are not repeated. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import packageJson from '../../../package.json' with { type: 'json' };
import { writeJson } from '../cli/write-json.ts';
import type { Outcome, Setting } from './claim.ts';

/** A saved run is reused only if all of this is equal. */
interface Identity {
  readonly claim: string;
  readonly setting: Setting;
  readonly data: string;
  readonly version: string;
}

export class Store {
  private readonly folder: string;
  private readonly data: string;

  /** @param data The checksum of the data. */
  constructor(folder: string, data: string) {
    this.folder = folder;
    this.data = data;
  }

  /** The outcome of a run saved by this version for this data; null if there is none, or its file is damaged. */
  async find(claim: string, setting: Setting): Promise<Outcome | null> {
    let text: string;
    try {
      text = await readFile(this.fileOf(claim, setting), 'utf8');
    } catch {
      return null;
    }
    const kept = parsed(text);
    return kept !== null && isDeepStrictEqual(kept.run, this.identity(claim, setting)) ? kept.outcome : null;
  }

  async keep(claim: string, setting: Setting, outcome: Outcome): Promise<void> {
    const file = this.fileOf(claim, setting);
    await mkdir(dirname(file), { recursive: true });
    await writeJson(file, { run: this.identity(claim, setting), outcome });
  }

  /** Deletes all runs. */
  async clear(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  private identity(claim: string, setting: Setting): Identity {
    return { claim, setting, data: this.data, version: packageJson.version };
  }

  /** Example: `speed/norm=none lr=0.01 steps=400 seed=1.json`. */
  private fileOf(claim: string, setting: Setting): string {
    const name = Object.entries(setting).map(
      ([key, value]) => `${key}=${JSON.stringify(value).replaceAll('"', '')}`,
    );
    return join(this.folder, claim, `${name.join(' ')}.json`);
  }
}

function parsed(text: string): { readonly run: Identity; readonly outcome: Outcome } | null {
  try {
    const kept = JSON.parse(text) as { run?: Identity; outcome?: Outcome } | null;
    if (kept?.run === undefined || typeof kept.outcome !== 'object') return null;
    return { run: kept.run, outcome: kept.outcome };
  } catch {
    return null;
  }
}
