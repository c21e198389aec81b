export { administratorsPrograms } from './programs.js';
