import { parseClusterConf } from '@quorate/cluster-conf';
import {
  type FenceConf,
  type FenceOutcome,
  type FenceStatus,
  fenceNode,
  fenceNodeStatus,
  logEntryText,
  unfenceNode,
} from '@quorate/fencing';
import { carryOut } from '@quorate/fencing/node';
import { Command, Option } from 'commander';
import type { CommandIo } from '../command-io.js';
import { clusterConfOf, wholeNumberOf } from '../options.js';
import { agentOptions, type TimeoutOption, timeoutOption } from './timeout-option.js';

interface NodeOptions extends TimeoutOption {
  readonly conf: string;
  readonly unfence?: true;
  readonly status?: true;
  readonly method: string;
  readonly verbose: number;
}

/** `quorate fence node`: what fence_node does, with the agents of this machine and without a cluster. */
export function nodeCommand(io: CommandIo, exit: (code: number) => void): Command {
  return new Command('node')
    .description(
      'fence a node of a cluster.conf with the agents of this machine; exit status 0 success, 1 failed, 2 undefined',
    )
    .argument('<node>', 'its name')
    .option('--conf <file>', 'cluster.conf', '/etc/cluster/cluster.conf')
    .option('-U, --unfence', 'unfence it: all its unfence devices')
    .addOption(new Option('-S, --status', 'ask all devices whether it is on').conflicts('unfence'))
    .option('-m, --method <n>', 'with --status: this method alone, from 1', '0')
    .option('-v, --verbose', 'show what each agent did; twice: what it was told', (_, before: number) => before + 1, 0)
    .addOption(timeoutOption())
    .action(async (node: string, options: NodeOptions) => {
      const { nodes, fenceDevices } = parseClusterConf(clusterConfOf(options.conf)).conf;
      const method = wholeNumberOf('--method', options.method, 0, 8);
      const action = options.status ? 'status' : options.unfence ? 'unfence' : 'fence';
      const outcome = await outcomeOf(action, { nodes, devices: fenceDevices }, node, method, options, io);
      tellAgents(action, node, outcome, options.verbose, io);
      io.stderr.write(`${action} ${node} ${resultText(outcome)}\n`);
      exit({ success: 0, failed: 1, undefined: 2 }[outcome.result]);
    });
}

type Action = 'fence' | 'unfence' | 'status';

function outcomeOf(
  action: Action,
  conf: FenceConf,
  node: string,
  method: number,
  options: NodeOptions,
  io: CommandIo,
): Promise<FenceOutcome | FenceStatus> {
  const running = {
    ...agentOptions(options, io),
    onAgent: (_: unknown, { errors }: { readonly errors: string }): void => {
      if (options.verbose > 0) io.stderr.write(errors);
    },
  };
  switch (action) {
    case 'fence':
      return carryOut(fenceNode(conf, node), running);
    case 'unfence':
      return carryOut(unfenceNode(conf, node), running);
    case 'status':
      return carryOut(fenceNodeStatus(conf, node, method), running);
  }
}

function tellAgents(action: Action, node: string, { log }: FenceOutcome, verbosity: number, io: CommandIo): void {
  if (verbosity === 0) return;
  for (const entry of log) {
    io.stderr.write(`${action} ${node} ${logEntryText(entry)}\n`);
    if (verbosity > 1) io.stderr.write(`agent args: ${entry.input.replaceAll('\n', ' ')}\n`);
  }
}

function resultText(outcome: FenceOutcome | FenceStatus): string {
  if (!('isOn' in outcome) || outcome.result !== 'success') return outcome.result;
  return `success ${outcome.isOn ? 'on' : 'off'}`;
}
