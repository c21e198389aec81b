import { Command } from 'commander';
import type { CommandIo } from '../command-io.js';
import { joinCommand } from './join-command.js';

/** `quorate totem`: joins rings of real corosync daemons. */
export function totemCommand(io: CommandIo, exit: (code: number) => void): Command {
  return new Command('totem').description('join a ring of real corosync daemons').addCommand(joinCommand(io, exit));
}
