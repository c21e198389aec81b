import { Command } from 'commander';
import type { CommandIo } from '../command-io.js';
import { serveCommand } from './serve-command.js';
import { unitCommands } from './unit-commands.js';

/** `quorate iscsi`: serves units over TCP, and uses those of other targets. */
export function iscsiCommand(io: CommandIo): Command {
  const iscsi = new Command('iscsi')
    .description('serve disks over iSCSI, or use those of a target')
    .addCommand(serveCommand(io));
  for (const command of unitCommands(io)) iscsi.addCommand(command);
  return iscsi;
}
