export { formatPlan, simulate, type WhatIfEvent } from './simulate.js';
