export { NodeFile, type NodeFileOptions } from './node-file.js';
