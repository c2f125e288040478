/** gammabeta: `node gammabeta.js entry`, where `entry` is the URL of the library's main module, as JavaScript. */
import { workloadsOf } from './gammabeta-workloads.js';
import { serve, versionIn } from './serve.js';

const gammabeta = await import(process.argv[2]);

const device = process.env.GAMMABETA_DEVICE;
if (device !== undefined) await gammabeta.useDevice(device); // otherwise the device that every program starts with

function describe() {
  const info = gammabeta.deviceInfo();
  return {
    version: versionIn('../../../package.json'),
    backend: `${info.device} (${info.adapter})`,
    threads: info.threads ?? 1,
  };
}

await serve({ describe, workloads: workloadsOf(gammabeta) });
