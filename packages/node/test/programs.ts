// Small programs that make one call of the operating system each and say what came of it.
import { hex, isErrno, type Os, type Program, SECOND, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';

/** A refused call is a complaint and status 1. */
function end(os: Os, result: unknown): number {
  if (!isErrno(result)) return 0;
  os.printError(`${result}\n`);
  return 1;
}

/** Programs with one operand. */
function unary(call: (os: Os, operand: string) => Task<unknown>): Program {
  return function* ([, operand = ''], os) {
    return end(os, yield* call(os, operand));
  };
}

export const TEST_PROGRAMS: Readonly<Record<string, Program>> = {
  *echo([, ...words], os) {
    os.print(`${words.join(' ')}\n`);
    return 0;
  },
  *complain([, ...words], os) {
    os.printError(`${words.join(' ')}\n`);
    return 1;
  },
  *cat([, path], os) {
    const bytes = path === undefined ? utf8Bytes(os.input) : yield* os.readFile(path);
    if (!isErrno(bytes)) os.print(utf8Text(bytes));
    return end(os, bytes);
  },
  /** `record FILE`: writes a word to a file and has it on the disk. */
  *record([, path = ''], os) {
    yield* os.writeFile(path, utf8Bytes('word'));
    return end(os, yield* os.sync(path));
  },
  *upper(_argv, os) {
    os.print(os.input.toUpperCase());
    return 0;
  },
  *status([, status]) {
    return Number(status);
  },
  *sleep([, seconds], os) {
    yield* os.sleep(Number(seconds) * SECOND);
    return 0;
  },
  *env(_argv, os) {
    for (const [name, value] of Object.entries(os.environment)) os.print(`${name}=${value}\n`);
    return 0;
  },
  /** `with NAME VALUE command…`: runs a command with one variable. */
  *with([, name = '', value = '', ...argv], os) {
    const { status, output } = yield* os.run(argv, { environment: { [name]: value } });
    os.print(output);
    return status;
  },
  /** `agent TYPE:NAME ACTION [NODE] ATTRIBUTE=VALUE…`: runs a resource agent as rgmanager does, and shows what it logs at `info` and above. */
  *agent([, resource = '', action = '', ...words], os) {
    const attributes = words.filter((word) => word.includes('='));
    const [argument] = words.filter((word) => !word.includes('='));
    const [type = ''] = resource.split(':');
    const pairs = attributes.map((each) => each.split(/=(.*)/s));
    const depth = pairs.find(([key]) => key === 'depth')?.[1] ?? '0';
    const { status, output, errors } = yield* os.run(
      [
        `/usr/share/cluster/${type}${type.startsWith('SAP') ? '' : '.sh'}`,
        action,
        ...(argument === undefined ? [] : [argument]),
      ],
      {
        environment: {
          ...Object.fromEntries(pairs.map(([key, value = '']) => [`OCF_RESKEY_${key}`, value])),
          OCF_RESKEY_name: resource.slice(type.length + 1),
          OCF_RESOURCE_INSTANCE: resource,
          OCF_RESOURCE_TYPE: type,
          OCF_CHECK_LEVEL: depth,
        },
      },
    );
    for (const line of output.split('\n')) if (line !== '' && !line.startsWith('<debug>')) os.print(`${line}\n`);
    os.printError(errors);
    return status;
  },
  /** `limit SECONDS command…`: runs a command that is killed when it takes longer. */
  *limit([, seconds, ...argv], os) {
    const { status, output } = yield* os.run(argv, { timeout: Number(seconds) * SECOND });
    os.print(output);
    return status;
  },
  *spawn([, ...argv], os) {
    const pid = os.spawn(argv);
    if (!isErrno(pid)) os.print(`${pid}\n`);
    return end(os, pid);
  },
  /** `signal NAME NUMBER`: the first process of that name. */
  *signal([, name, number], os) {
    const pid = os.processes().find(({ argv }) => argv[0] === name)?.pid ?? 0;
    return end(os, os.kill(pid, Number(number)));
  },
  /** `linger SECONDS`: takes so long to end when it is asked to. */
  *linger([, seconds], os) {
    os.trap(15, function* () {
      os.log('info', 'linger', 'ending');
      yield* os.sleep(Number(seconds) * SECOND);
      os.log('info', 'linger', 'ended');
      return 0;
    });
    os.trap(9, function* () {
      return 0;
    });
    for (;;) yield* os.sleep(3600 * SECOND);
  },
  *ps(_argv, os) {
    const others = os.processes().filter(({ pid }) => pid < os.pid - 1);
    for (const { pid, parent, argv } of others) os.print(`${pid} ${parent} ${argv.join(' ')}\n`);
    return 0;
  },
  *log([, priority, ...words], os) {
    os.log(priority as 'info', 'test', words.join(' '));
    return 0;
  },
  *ls([, path = '/'], os) {
    const names = yield* os.list(path);
    if (!isErrno(names)) os.print(`${names.join(' ')}\n`);
    return end(os, names);
  },
  *stat([, path = ''], os) {
    const found = yield* os.stat(path);
    if (!isErrno(found)) os.print(`${found.type} ${found.mode.toString(8)} ${found.size} bytes\n`);
    return end(os, found);
  },
  *mv([, from = '', to = ''], os) {
    return end(os, yield* os.rename(from, to));
  },
  /** `symlink TARGET PATH`: what it names then, and of what kind both are. */
  *symlink([, target = '', path = ''], os) {
    const refused = yield* os.makeSymlink(target, path);
    if (isErrno(refused)) return end(os, refused);
    const [link, itself, meant] = [yield* os.readLink(path), yield* os.stat(path, false), yield* os.stat(path)];
    const kindOf = (found: typeof meant): string => (isErrno(found) ? found : found.type);
    os.print(`${isErrno(link) ? link : link.target} ${kindOf(itself)} ${kindOf(meant)}\n`);
    return 0;
  },
  mkdir: unary((os, path) => os.makeDirectory(path)),
  rmdir: unary((os, path) => os.removeDirectory(path)),
  rm: unary((os, path) => os.remove(path)),
  /** `scsi DEVICE CDB`: the status, and the sense data or the beginning of the data. */
  *scsi([, device = '', ...cdb], os) {
    const reply = yield* os.scsi(
      device,
      Uint8Array.from(cdb, (byte) => Number.parseInt(byte, 16)),
    );
    if (isErrno(reply)) return end(os, reply);
    const { status, sense, data } = reply;
    os.print(`status ${status} sense ${hex(sense.subarray(2, 3))} data ${hex(data.subarray(0, 8))}\n`);
    return 0;
  },
  /** `answer PORT`: takes connections and sends back what comes, in capitals. */
  *answer([, port], os) {
    const listener = os.listen(Number(port));
    if (isErrno(listener)) return end(os, listener);
    for (;;) {
      const socket = yield* os.accept(listener);
      if (isErrno(socket)) return end(os, socket);
      const bytes = yield* os.receive(socket);
      if (!isErrno(bytes)) yield* os.send(socket, utf8Bytes(utf8Text(bytes).toUpperCase()));
      os.close(socket);
    }
  },
  /** `ask ADDRESS PORT words…`: sends words and prints what comes back. */
  *ask([, address = '', port, ...words], os) {
    const socket = yield* os.connect(address, Number(port), 5 * SECOND);
    if (isErrno(socket)) return end(os, socket);
    yield* os.send(socket, utf8Bytes(words.join(' ')));
    const bytes = yield* os.receive(socket);
    if (!isErrno(bytes)) os.print(`${utf8Text(bytes)}\n`);
    os.close(socket);
    return end(os, bytes);
  },
};
