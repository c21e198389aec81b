import { serve } from './server/serve.js';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit());

process.exitCode = await serve(process.argv.slice(2), process);
