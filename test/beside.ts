/**
 * Runs scripts of package.json beside one another, and prints what each has printed when it ends. Fails if one fails.
 *
 *     tsx test/beside.ts typecheck lint:code lint:format
 */
import { spawn } from 'node:child_process';

const run = (script: string) =>
  new Promise<boolean>((resolve, reject) => {
    const begin = performance.now();
    const child = spawn('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    child.on('error', reject).on('close', (code) => {
      const seconds = Math.round((performance.now() - begin) / 1000);
      console.log(`${script}: ${code === 0 ? 'passed' : 'FAILED'}, ${seconds} s\n${output}`.trimEnd());
      resolve(code === 0);
    });
  });

const passed = await Promise.all(process.argv.slice(2).map(run));
if (passed.includes(false)) process.exitCode = 1;
