/** gammabeta on its device `wasm`, in a page. */
import packageJson from '../../package.json' with { type: 'json' };
import * as gammabeta from '../../src/index.ts';
import { openThreads } from '../thread-timing.ts';
import { workloadsOf } from './contenders/gammabeta-workloads.js';
import type { PageContender } from './page.ts';

export async function open(threads: number): Promise<PageContender> {
  const workers = threads > 1 ? (await openThreads(threads)).ready : 0;
  if (threads === 1) await gammabeta.useDevice('wasm', { threads });
  const { device, adapter } = gammabeta.deviceInfo();
  return {
    version: packageJson.version,
    backend: `${device} (${adapter})`,
    threads: workers + 1,
    workloads: workloadsOf(gammabeta),
  };
}
