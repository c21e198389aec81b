import type { RunAgentOptions } from '@quorate/fencing/node';
import { Option } from 'commander';
import type { CommandIo } from '../command-io.js';
import { wholeNumberOf } from '../options.js';

export interface TimeoutOption {
  readonly timeout?: string;
}

export function timeoutOption(): Option {
  return new Option('--timeout <seconds>', 'kill an agent that takes longer; default: wait for it, as fenced does');
}

export function agentOptions({ timeout }: TimeoutOption, { env }: CommandIo): RunAgentOptions {
  if (timeout === undefined) return { env };
  return { env, timeoutMs: 1000 * wholeNumberOf('--timeout', timeout, 1, 1_000_000) };
}
