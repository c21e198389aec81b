import type { Program } from '@quorate/kernel';
import { fetchPage, resolveHost } from '@quorate/node';

/** `curl [http://]host[/path]`: prints a page, whatever its status. */
export const curl: Program = function* (argv, os) {
  const url = argv.slice(1).find((word) => !word.startsWith('-'));
  if (url === undefined) {
    os.printError("curl: try 'curl http://host/path'\n");
    return 2;
  }
  const [host = '', ...path] = url.replace(/^http:\/\//, '').split('/');
  const address = yield* resolveHost(os, host);
  if (address === undefined) {
    os.printError(`curl: (6) Couldn't resolve host '${host}'\n`);
    return 6;
  }
  const page = yield* fetchPage(os, address, `/${path.join('/')}`);
  if (typeof page === 'string') {
    os.printError(`curl: (7) couldn't connect to host\n`);
    return 7;
  }
  os.print(page.body);
  return 0;
};
