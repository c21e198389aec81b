import { Command } from 'commander';
import type { CommandIo } from '../command-io.js';
import { agentCommand } from './agent-command.js';
import { nodeCommand } from './node-command.js';

/** `quorate fence`: runs the fence agents of this machine, as fenced and fence_node do. */
export function fenceCommand(io: CommandIo, exit: (code: number) => void): Command {
  return new Command('fence')
    .description('run fence agents of this machine: one, or those that a cluster.conf names for a node')
    .addCommand(agentCommand(io, exit))
    .addCommand(nodeCommand(io, exit));
}
