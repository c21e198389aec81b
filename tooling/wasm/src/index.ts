export { ask } from './ask.js';
export { findChromium, startChromium } from './chromium-engine.js';
export type { Engine } from './engine.js';
export { firstDifference } from './first-difference.js';
export type { Mark, RingReply, RingRequest, SimulateReply, SimulateRequest } from './guest/messages.js';
export { startNode } from './node-engine.js';
export { buildProgram, simulatorProgram } from './program.js';
export { startQuickJs } from './quickjs-engine.js';
