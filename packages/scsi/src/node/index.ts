export { ImageInUseError, ImageLock, refuseIfLocked } from './image-lock.js';
export { NodeFile, type NodeFileOptions } from './node-file.js';
